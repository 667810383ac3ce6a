//! One request in, one answer out, and what is left to do in between: the bolt and the log.

use core::fmt::{self, Display};

use embedded_storage_async::nor_flash::NorFlash;
use sharekey::crypto::RustCrypto;
use sharekey::error::LockError;
use sharekey::limits::Action;
use sharekey::lock::{self, Answer, By, Effect, SLOTS};
use sharekey::message::Refused;

use crate::board::{Board, Hardware};
use crate::entropy::Drawn;

/// The lock of this firmware, behind its door.
pub type Door<'b, F, H> = lock::Door<RustCrypto, &'b mut Board<F, H>, SLOTS>;

/// Answers one request: into `answer`, which is empty where nothing is to be sent, for it is not known whether it
/// happened.
#[inline(never)]
pub fn handle<F: NorFlash, H: Hardware>(door: &mut Door<'_, F, H>, request: &[u8], answer: &mut Answer) {
    let Ok(mut rng) = Drawn::from(&mut door.board().hardware) else {
        door.board().hardware.log(format_args!("refused: no entropy"));
        answer.clear();
        return answer.extend(Refused::OPAQUE);
    };
    let (now, presence) = (door.board().now(), door.board().presence());
    match door.serve_into(answer, request, now, presence, &mut rng) {
        Ok(effect) => act(&mut door.board().hardware, effect),
        Err(error) => door.board().hardware.log(format_args!("{error}")),
    }
}

/// What there is to do before the answer is sent.
fn act(hardware: &mut impl Hardware, effect: Effect) {
    match effect {
        Effect::Nothing => {}
        Effect::Bolt { action, by } => hardware.bolt(action, &Mover(by)),
        Effect::Reset => hardware.log(format_args!("reset")),
        Effect::Refused(error) => log_refusal(hardware, error),
    }
}

/// Who moved the bolt, as the log has it.
struct Mover(By);

impl Display for Mover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            By::Owner => f.write_str("the owner"),
            By::Guest { slot, generation, device } => {
                write!(f, "slot {} number {} device {device}", slot.index(), generation.value())
            }
        }
    }
}

/// The word for what the bolt does.
#[must_use]
pub const fn word(action: Action) -> &'static str {
    match action {
        Action::Open => "open",
        Action::Lock => "lock",
    }
}

#[cfg(feature = "reasons")]
fn log_refusal(hardware: &mut impl Hardware, error: LockError) {
    hardware.log(format_args!("refused: {error}"));
}

#[cfg(not(feature = "reasons"))]
fn log_refusal(hardware: &mut impl Hardware, _error: LockError) {
    hardware.log(format_args!("refused"));
}
