//! One request in, one answer out, and what is left to do in between: the bolt and the log.

use embedded_storage_async::nor_flash::NorFlash;
use sharekey::crypto::RustCrypto;
use sharekey::error::{Blame as _, LockError};
use sharekey::lock::{self, Effect, SLOTS, Served};
use sharekey::message::Refused;

use crate::board::{Board, Hardware};
use crate::entropy::Drawn;
use crate::log::Part::Text;

/// The lock of this firmware, behind its door.
pub type Door<'b, F, H> = lock::Door<RustCrypto, &'b mut Board<F, H>, SLOTS>;

/// Answers one request; where it is not even put to the lock, or not through, with the bytes in the error.
///
/// # Errors
/// What to send instead: nothing, where it is not known whether it happened.
#[inline(never)]
pub fn handle<F: NorFlash, H: Hardware>(door: &mut Door<'_, F, H>, request: &[u8]) -> Result<Served, &'static [u8]> {
    let Ok(mut rng) = Drawn::from(&mut door.board().hardware) else {
        door.board().hardware.log(&[Text("refused: no entropy")]);
        return Err(&Refused::OPAQUE);
    };
    let (now, presence) = (door.board().now(), door.board().presence());
    let served = door.serve(request, now, presence, &mut rng).map_err(|error| {
        door.board().hardware.log(&[Text("no answer: "), Text(error.name())]);
        &[][..]
    })?;
    act(&mut door.board().hardware, served.effect());
    Ok(served)
}

/// What there is to do before the answer is sent.
fn act(hardware: &mut impl Hardware, effect: Effect) {
    match effect {
        Effect::Nothing => {}
        Effect::Bolt { action, by } => hardware.bolt(action, by),
        Effect::Reset => hardware.log(&[Text("reset")]),
        Effect::Refused(error) => log_refusal(hardware, error),
    }
}

/// By its code, which `docs/errors.md` explains.
#[cfg(feature = "reasons")]
fn log_refusal(hardware: &mut impl Hardware, error: LockError) {
    hardware.log(&[Text("refused: "), Text(error.name())]);
}

#[cfg(not(feature = "reasons"))]
fn log_refusal(hardware: &mut impl Hardware, _error: LockError) {
    hardware.log(&[Text("refused")]);
}
