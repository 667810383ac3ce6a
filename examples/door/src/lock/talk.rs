//! Talking to the lock: challenge, answer, and what an attacker does in between.

use sharekey::error::{Blame, Fault, LockError, Retry};
use sharekey::message::Refused;

use super::Firmware;
use super::any::{Answered, Challenge, Fail, Open, Request};
use crate::cli::Radio;
use crate::refusal::{By as _, Refusal};

/// Who somebody is that nobody knows.
pub const SOMEBODY: &str = "somebody";

/// What came back from the lock.
pub struct Heard {
    pub answer: Vec<u8>,
    /// Why the lock refused, as its own log has it.
    refused: Option<Why>,
}

enum Why {
    Library(LockError),
    NoButton,
}

impl Heard {
    /// What `who` makes of the answer; where the lock refused, its own reason comes first.
    pub fn check<T, E: Blame>(self, who: &str, made: Result<T, E>) -> anyhow::Result<T> {
        match (made, self.refused) {
            (Ok(made), _) => Ok(made),
            (Err(error), None) => Err(Refusal::new(who, error).into()),
            (Err(error), Some(why)) => Err(why.told().heard(who, &error).into()),
        }
    }

    /// Where nobody waits for the answer: what the lock decided.
    pub fn accepted(self) -> anyhow::Result<Vec<u8>> {
        self.refused.map_or(Ok(self.answer), |why| Err(why.told().into()))
    }
}

impl Why {
    fn told(&self) -> Refusal {
        match self {
            Self::Library(error) => Refusal::new("the lock", *error),
            Self::NoButton => {
                let what = "nobody presses the button inside, and a card alone resets nothing";
                Refusal::own("the lock", what, Fault::Owner, Retry::OtherInput)
            }
        }
    }
}

impl Firmware<'_> {
    /// `who` connects, gets a challenge, and sends what `ask` makes of it.
    pub fn exchange(
        &mut self,
        who: &str,
        request: Request,
        radio: &Radio,
        ask: impl FnOnce(&[u8]) -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<Heard> {
        let (challenge, session) = self.connect(who, request)?;
        let challenge = match radio.challenge_with {
            Some(number) => self.home.wire().read(number)?,
            None => challenge,
        };
        let message = ask(&challenge)?;
        if radio.interrupt {
            self.connect(SOMEBODY, request)?;
        }
        self.wait(radio.delay.unwrap_or_default())?;
        let heard = if radio.withhold {
            Heard { answer: Vec::new(), refused: None }
        } else {
            self.home.wire().record(who, "lock", &message)?;
            self.answer(who, request, session, &message)?
        };
        intercept(self, who, radio, heard)
    }

    fn connect(&mut self, who: &str, request: Request) -> anyhow::Result<(Vec<u8>, Open)> {
        let now = self.now()?;
        let Self { home, lock, flash, .. } = self;
        match home.draw(|rng| lock.challenge(request, now, rng, flash)) {
            Ok((challenge, session)) => {
                home.wire().record("lock", who, &challenge)?;
                Ok((challenge, session))
            }
            Err(Challenge::Refused(error)) => Err(error).by("the lock"),
            Err(Challenge::Store(error)) => Err(self.failed(error)),
        }
    }

    fn answer(&mut self, who: &str, request: Request, session: Open, message: &[u8]) -> anyhow::Result<Heard> {
        let now = self.now()?;
        let Self { home, lock, flash, .. } = self;
        let answered: Answered = home.draw(|rng| lock.answer(session, request, message, now, rng, flash));
        let heard = match answered {
            Ok((answer, effect)) => {
                self.act(effect).map_err(|error| self.failed(error))?;
                Heard { answer, refused: None }
            }
            Err(Fail::Refused(refusal)) => {
                Heard { answer: refusal.answer().to_vec(), refused: Some(Why::Library(refusal.error())) }
            }
            Err(Fail::NoButton) => Heard { answer: Refused::OPAQUE.to_vec(), refused: Some(Why::NoButton) },
            Err(Fail::Store(error)) => return Err(self.failed(error)),
        };
        if !heard.answer.is_empty() {
            self.home.wire().record("lock", who, &heard.answer)?;
        }
        Ok(heard)
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
