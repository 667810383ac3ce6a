//! The second board's ticks wrap, three seconds after its start: to a session that is open they just go on.

use std::time::{Duration, Instant};

use sharekey::id::{LockId, SlotId};
use sharekey::message::Connect;
use sharekey::owner::Order;
use sharekey_apps::Radio;
use sharekey_apps::story::Door as _;

use super::damage::owned;
use super::door::Door;
use super::machine::Firmware;
use super::{Outcome, ensure};

const WRAPS_AFTER: Duration = Duration::from_secs(3);

/// A challenge from before the wrap is answered after it.
///
/// # Errors
/// Where the answer is refused; or the machine is too busy to boot in that time.
pub fn in_a_session(firmware: Firmware) -> Outcome<()> {
    let (mut door, mut cloud, mut owner) = owned(firmware)?;
    for _ in 0..5 {
        let begin = Instant::now();
        door.cut_the_power()?;
        let mut slow = Slow { door: &mut door, wrapped: Instant::now() + WRAPS_AFTER, challenged: None };
        owner.order(&mut slow, &mut cloud, Order::Inspect { slot: SlotId::new(0) })?;
        // The emulator's clock began after `begin`, and before the lock was ready.
        if slow.challenged.is_some_and(|at| at < begin + WRAPS_AFTER) {
            return Ok(());
        }
    }
    ensure(false, || "no challenge came before the wrap".into())
}

/// A phone that sends its answer once the ticks have wrapped.
struct Slow<'a> {
    door: &'a mut Door,
    wrapped: Instant,
    challenged: Option<Instant>,
}

impl Radio for Slow<'_> {
    fn id(&self) -> LockId {
        self.door.id()
    }

    fn send(&mut self, message: &[u8]) -> Outcome<Vec<u8>> {
        if message != Connect::OPERATE {
            std::thread::sleep(self.wrapped.saturating_duration_since(Instant::now()));
        }
        let answer = self.door.send(message)?;
        self.challenged.get_or_insert_with(Instant::now);
        Ok(answer)
    }
}
