//! The door of the story, with the lock in QEMU behind it.

use sharekey::error::LockError;
use sharekey::id::LockId;
use sharekey::message::{Challenge, Connect, FactoryReset};
use sharekey::secret::ActivationSecret;
use sharekey::wire::Unverified;

use sharekey_apps::{Outcome, Radio, story};

use super::machine::{Firmware, Machine};

pub struct Door {
    machine: Machine,
    id: LockId,
    /// What the firmware logged where it refused the last message.
    refused: Option<String>,
}

impl Door {
    pub fn make(firmware: Firmware, card: &ActivationSecret) -> Outcome<Self> {
        let mut machine = Machine::new(firmware, card.expose())?;
        machine.boot()?;
        let id = LockId::new(sharekey::crypto::PublicKey::from_bytes([0; 32]));
        let mut door = Self { machine, id, refused: None };
        door.look()?;
        Ok(door)
    }

    /// Power off, a bit of the newest record that begins so flips, power on.
    pub fn flip_a_bit_and_boot(&mut self, record: &[u8]) -> Outcome<()> {
        self.machine.cut()?;
        self.machine.flip_a_bit(record)?;
        self.machine.boot()
    }

    /// Whether the last message was refused, and for this reason.
    pub fn refused(&self, because: LockError) -> bool {
        self.refused.as_ref().is_some_and(|reason| *reason == because.to_string())
    }

    /// Whoever holds the card resets the lock; with a finger on the button inside, or without.
    pub fn factory_reset(&mut self, card: &ActivationSecret, button: bool) -> Outcome<()> {
        let challenge = *Unverified::<Challenge>::parse(&self.send(&Connect::OPERATE)?)?.claims();
        let message = FactoryReset::seal(&sharekey::crypto::Ring, card, &challenge)?;
        if !button {
            self.send(&message)?;
            return Err("nobody presses the button".into());
        }
        self.machine.press_button(true)?;
        self.machine.request_silent(&message, "reset")?;
        self.machine.press_button(false)?;
        self.look()
    }

    fn look(&mut self) -> Outcome<()> {
        self.id = Unverified::<Challenge>::parse(&self.send(&Connect::OPERATE)?)?.claims().lock;
        Ok(())
    }
}

impl story::Door for Door {
    fn cut_the_power(&mut self) -> Outcome<()> {
        self.machine.cut()?;
        self.machine.boot()
    }

    fn bolt_moves(&self) -> Outcome<usize> {
        Ok(self.machine.log()?.lines().filter(|line| line.starts_with("bolt: ")).count())
    }
}

impl Radio for Door {
    fn id(&self) -> LockId {
        self.id
    }

    fn send(&mut self, message: &[u8]) -> Outcome<Vec<u8>> {
        let (answer, refused) = self.machine.exchange(message)?;
        self.refused = refused;
        Ok(answer)
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
