//! Compiled, a firmware that forgot to commit would look as if it worked, and open to nobody.
#![deny(unused_must_use)]

use sharekey::crypto::Crypto;
use sharekey::lock::{Lock, Now, Refusal, Session, purpose::Operate};

fn staged_dropped(
    lock: &mut Lock<impl Crypto, 3>,
    session: Session<Operate>,
    unlock: &[u8],
    now: Now,
) -> Result<(), Refusal> {
    lock.unlock(session, unlock, now)?; //~ unused_must_use
    Ok(())
}

fn main() {}
