//! The door of the story, with the lock in QEMU behind it.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

use sharekey::error::LockError;
use sharekey::id::LockId;
use sharekey::lock::purpose;
use sharekey::message::{Challenge, FactoryReset};
use sharekey::secret::ActivationSecret;
use sharekey::wire::Unverified;

use super::Outcome;
use super::machine::{Firmware, Machine};

pub struct Door {
    machine: Machine,
    id: LockId,
}

/// The firmware keeps the session; one that connected may answer once.
pub struct Session<P>(PhantomData<P>);

/// What a phone connects for, as the firmware's link has it.
pub trait Connect: purpose::Purpose {
    const BYTE: u8;
}

impl Connect for purpose::Install {
    const BYTE: u8 = b'I';
}

impl Connect for purpose::Operate {
    const BYTE: u8 = b'O';
}

/// What the lock answers where it refuses, and the reason that it logs.
pub struct Refused {
    pub error: Reason,
    pub answer: Vec<u8>,
}

#[derive(Debug)]
pub struct Reason(String);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {}", self.0)
    }
}

impl Error for Reason {}

impl Reason {
    pub fn is(&self, error: LockError) -> bool {
        self.0 == error.to_string()
    }
}

impl Door {
    pub fn make(firmware: Firmware, card: &ActivationSecret) -> Outcome<Self> {
        let mut machine = Machine::new(firmware, card.expose())?;
        machine.boot()?;
        let mut door = Self { machine, id: LockId::new(sharekey::crypto::PublicKey::from_bytes([0; 32])) };
        door.look()?;
        Ok(door)
    }

    pub fn cut_the_power(&mut self) -> Outcome<()> {
        self.machine.cut()?;
        self.machine.boot()
    }

    /// Power off, a bit of the newest record that begins so flips, power on.
    pub fn flip_a_bit_and_boot(&mut self, record: &[u8]) -> Outcome<()> {
        self.machine.cut()?;
        self.machine.flip_a_bit(record)?;
        self.machine.boot()
    }

    pub const fn id(&self) -> LockId {
        self.id
    }

    pub fn bolt_moves(&self) -> Outcome<usize> {
        Ok(self.machine.log()?.lines().filter(|line| line.starts_with("bolt: ")).count())
    }

    pub fn connect<P: Connect>(&mut self) -> Outcome<(Vec<u8>, Session<P>)> {
        Ok((self.machine.request(&[P::BYTE])?, Session(PhantomData)))
    }

    pub fn provision(&mut self, _: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Refused> {
        self.attempt(message)
    }

    pub fn command(&mut self, _: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Refused> {
        self.attempt(message)
    }

    pub fn install(&mut self, _: Session<purpose::Install>, bundle: &[u8]) -> Result<Vec<u8>, Refused> {
        self.attempt(bundle)
    }

    pub fn unlock(&mut self, _: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Refused> {
        self.attempt(message)
    }

    /// Whoever holds the card resets the lock; with a finger on the button inside, or without.
    pub fn factory_reset(&mut self, card: &ActivationSecret, button: bool) -> Outcome<()> {
        let (challenge, session) = self.connect::<purpose::Operate>()?;
        let challenge = *Unverified::<Challenge>::parse(&challenge)?.claims();
        let message = FactoryReset::seal(&sharekey::crypto::Ring, card, &challenge)?;
        if !button {
            return Ok(self.command(session, &message).map(|_| ()).map_err(|refused| refused.error)?);
        }
        self.machine.press_button(true)?;
        self.machine.request_silent(&message, "reset")?;
        self.machine.press_button(false)?;
        self.look()
    }

    fn look(&mut self) -> Outcome<()> {
        let (challenge, _) = self.connect::<purpose::Operate>()?;
        self.id = Unverified::<Challenge>::parse(&challenge)?.claims().lock;
        Ok(())
    }

    fn attempt(&mut self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        let failed = |error: Box<dyn Error>| Refused { error: Reason(error.to_string()), answer: Vec::new() };
        let logged = self.machine.log().map_err(failed)?.len();
        let answer = self.machine.request(message).map_err(failed)?;
        let log = self.machine.log().map_err(failed)?;
        let refused = log[logged..].lines().find_map(|line| line.strip_prefix("refused"));
        match refused {
            None => Ok(answer),
            Some(reason) => Err(Refused { error: Reason(reason.trim_start_matches(": ").to_owned()), answer }),
        }
    }
}

/// What one request cost, by the log of a firmware with the feature `figures`.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub stack: u32,
    pub instructions: u32,
    pub words: u32,
    pub erased: u32,
}

impl Measured {
    fn parse(line: &str) -> Option<Self> {
        let [stack, instructions, words, erased] = numbers(line.strip_prefix("measured: ")?)?;
        Some(Self { stack, instructions, words, erased })
    }
}

/// The numbers among the words of a line.
fn numbers<const N: usize>(line: &str) -> Option<[u32; N]> {
    let numbers: Vec<u32> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().ok()
}

impl Door {
    fn all_measured(&self) -> Outcome<Vec<Measured>> {
        // A request's line comes before its answer.
        Ok(self.machine.log()?.lines().filter_map(Measured::parse).collect())
    }

    /// The last request.
    pub fn measured(&self) -> Outcome<Measured> {
        self.all_measured()?.last().copied().ok_or_else(|| "nothing was measured".into())
    }

    /// The request before the last one.
    pub fn measured_before(&self) -> Outcome<Measured> {
        self.all_measured()?.iter().rev().nth(1).copied().ok_or_else(|| "nothing was measured".into())
    }

    /// Words and erased pages of all requests.
    pub fn written(&self) -> Outcome<(u32, u32)> {
        let all = self.all_measured()?;
        Ok(all.iter().fold((0, 0), |(words, erased), one| (words + one.words, erased + one.erased)))
    }

    /// Bytes of the lock, and of stack above a request.
    pub fn sizes(&self) -> Outcome<(u32, u32)> {
        let log = self.machine.log()?;
        let line = log.lines().find_map(|line| line.strip_prefix("sizes: ")).and_then(numbers::<2>);
        line.map(|[lock, above]| (lock, above)).ok_or_else(|| "no sizes in the log".into())
    }
}
