//! Compiled, the bolt would move before the use was counted: cut the power then, and it never is.

use sharekey::crypto::Crypto;
use sharekey::limits::Action;
use sharekey::lock::{Lock, Now, Refusal, Session, purpose::Operate};

fn unlock_before_commit(
    lock: &mut Lock<impl Crypto, 3>,
    session: Session<Operate>,
    unlock: &[u8],
    now: Now,
) -> Result<Action, Refusal> {
    let unlocked = lock.unlock(session, unlock, now)?;
    Ok(unlocked.action) //~ E0609 action
}

fn main() {}
