//! One request in, one answer out, and what is left to do in between: the bolt and the log.

use embedded_storage_async::nor_flash::NorFlash;
use sharekey::crypto::RustCrypto;
use sharekey::error::{Blame as _, LockError};
use sharekey::lock::{self, Answer, Effect, SLOTS};
use sharekey::message::Refused;

use crate::board::{Board, Hardware};
use crate::entropy::Drawn;
use crate::log::Part::Text;

/// The lock of this firmware, behind its door.
pub type Door<'b, F, H> = lock::Door<RustCrypto, &'b mut Board<F, H>, SLOTS>;

/// Answers one request: into `answer`, which is empty where nothing is to be sent, for it is not known whether it
/// happened.
#[inline(never)]
pub fn handle<F: NorFlash, H: Hardware>(door: &mut Door<'_, F, H>, request: &[u8], answer: &mut Answer) {
    let Ok(mut rng) = Drawn::from(&mut door.board().hardware) else {
        door.board().hardware.log(&[Text("refused: no entropy")]);
        answer.clear();
        return answer.extend(Refused::OPAQUE);
    };
    let (now, presence) = (door.board().now(), door.board().presence());
    match door.serve_into(answer, request, now, presence, &mut rng) {
        Ok(effect) => act(&mut door.board().hardware, effect),
        Err(error) => door.board().hardware.log(&[Text("no answer: "), Text(error.name())]),
    }
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
