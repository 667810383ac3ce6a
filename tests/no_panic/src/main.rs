//! Links only where the optimiser shows that no wrapper in here can panic.
//!
//! What that covers is this crate's own code and what it pulls in to decode: the wire, the messages, the
//! records, and the lock from boot to bolt, over a provider that never panics. It says nothing of what a
//! real provider does inside. `check.sh` builds it, and then with the feature `control`, which must not
//! link. Run, it feeds its standard input to everything, so that nothing is optimised away as dead.

mod decode;
mod lock;
mod provider;

use std::io::Read as _;

use sharekey::crypto::PublicKey;
use sharekey::lock::{Battery, Clock, Now};

use crate::lock::Door;

/// A panic that the optimiser cannot rule out: shows that the check sees one.
#[cfg(feature = "control")]
#[no_panic::no_panic]
#[inline(never)]
fn control(bytes: &[u8], at: usize) -> u8 {
    bytes[at]
}

fn main() -> std::io::Result<()> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    #[cfg(feature = "control")]
    println!("control: {}", control(&bytes, bytes.len() / 2));

    let key = PublicKey::from_bytes(std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(7)));
    println!("decoded: {}", decode::all(&bytes, &key));
    println!("answers: {:?}", door(&bytes).map(|mut door| operate(&mut door, &bytes)));
    Ok(())
}

/// A lock just made, then booted again.
fn door(bytes: &[u8]) -> Option<Door> {
    let card = [7; 16];
    let mut making = lock::make(card, bytes).ok()?;
    let mut cells = Vec::new();
    while let Some(record) = lock::make_record(&making).ok()? {
        cells.retain(|(cell, _)| *cell != record.cell());
        cells.push((record.cell(), record.as_bytes().to_vec()));
        making.written();
    }
    let seed = cells.iter().find(|(cell, _)| *cell == sharekey::lock::Cell::Seed)?;
    let mut door = lock::load(card, &lock::read_seed(&seed.1).ok()?).ok()?;
    for (cell, stored) in &cells {
        // The seed's cell is read above; that it is refused here is as good a use.
        let _ = lock::reload(&mut door, *cell, stored);
    }
    Some(door)
}

fn operate(door: &mut Door, bytes: &[u8]) -> Option<[usize; 7]> {
    let now = Now { ticks: 1, clock: Clock::Absent, battery: Battery::UNKNOWN };
    let session = lock::challenge_install(door, now)?;
    let install = lock::install(door, session, bytes, now);
    let session = lock::challenge_operate(door, now)?;
    let unlock = lock::unlock(door, session, bytes, now);
    let session = lock::challenge_operate(door, now)?;
    let detached = usize::from(lock::unlock_detached(door, session, bytes, now));
    let session = lock::challenge_operate(door, now)?;
    let command = lock::command(door, session, bytes, now);
    let session = lock::challenge_operate(door, now)?;
    let provision = lock::provision(door, session, bytes, now);
    let session = lock::challenge_operate(door, now)?;
    let reset = lock::factory_reset(door, session, bytes, now);
    let step = lock::step(door, bytes, now);
    Some([install, unlock, detached, command, provision, reset, step])
}
