//! Talking to the lock: challenge, answer, and what an attacker does in between.

use anyhow::bail;
use sharekey::error::{Blame, Fault, LockError, Retry};
use sharekey::lock::{Effect, PhysicalPresence, ServeError};

use super::Firmware;
use crate::cli::Radio;
use crate::refusal::{By as _, Refusal};

/// Who somebody is that nobody knows.
pub const SOMEBODY: &str = "somebody";

/// What came back from the lock.
pub struct Heard {
    pub answer: Vec<u8>,
    /// Why the lock refused, as its own log has it.
    refused: Option<LockError>,
}

impl Heard {
    /// What `who` makes of the answer; where the lock refused, its own reason comes first.
    pub fn check<T, E: Blame>(self, who: &str, made: Result<T, E>) -> anyhow::Result<T> {
        match (made, self.refused) {
            (Ok(made), _) => Ok(made),
            (Err(error), None) => Err(Refusal::new(who, error).into()),
            (Err(error), Some(why)) => Err(Refusal::new("the lock", why).heard(who, &error).into()),
        }
    }

    /// Where nobody waits for the answer: what the lock decided.
    pub fn accepted(self) -> anyhow::Result<Vec<u8>> {
        self.refused.map_or(Ok(self.answer), |why| Err(why).by("the lock"))
    }
}

impl Firmware<'_> {
    /// `who` asks for a challenge by `connect`, and sends what `ask` makes of it.
    pub fn exchange(
        &mut self,
        who: &str,
        connect: &[u8],
        radio: &Radio,
        ask: impl FnOnce(&[u8]) -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<Heard> {
        let challenge = self.send(who, connect)?.accepted()?;
        let challenge = match radio.challenge_with {
            Some(number) => self.home.wire().read(number)?,
            None => challenge,
        };
        let message = ask(&challenge)?;
        if radio.interrupt {
            self.send(SOMEBODY, connect)?.accepted()?;
        }
        self.board().wait(radio.delay.unwrap_or_default())?;
        let heard =
            if radio.withhold { Heard { answer: Vec::new(), refused: None } } else { self.send(who, &message)? };
        intercept(self, who, radio, heard)
    }

    /// A frame goes to the lock, and its answer back.
    fn send(&mut self, who: &str, frame: &[u8]) -> anyhow::Result<Heard> {
        self.home.wire().record(who, "lock", frame)?;
        let now = self.board().now()?;
        let presence = self.button.then(PhysicalPresence::button_is_pressed);
        let Self { home, door, .. } = self;
        let served = match home.draw(|rng| door.serve(frame, now, presence, rng)) {
            Ok(served) => served,
            Err(ServeError::Board(error)) => return Err(self.failed(error)),
            Err(ServeError::Remake(error)) => return Err(error).by("the lock"),
            Err(error @ ServeError::Boot) => bail!("{error}"),
        };
        let refused = match served.effect() {
            Effect::Nothing | Effect::Reset => None,
            Effect::Bolt { action, .. } => {
                self.board().move_bolt(action)?;
                None
            }
            Effect::Refused(error) => Some(error),
        };
        if !served.answer().is_empty() {
            self.home.wire().record("lock", who, served.answer())?;
        }
        Ok(Heard { answer: served.answer().to_vec(), refused })
    }
}

/// What becomes of the lock's answer on its way.
fn intercept(firmware: &Firmware<'_>, who: &str, radio: &Radio, heard: Heard) -> anyhow::Result<Heard> {
    if radio.lose_answer {
        let what = "no answer came: whether the lock acted is not known";
        return Err(Refusal::own(who, what, Fault::Transport, Retry::NewChallenge).into());
    }
    match radio.answer_with {
        Some(number) => Ok(Heard { answer: firmware.home.wire().read(number)?, refused: None }),
        None => Ok(heard),
    }
}
