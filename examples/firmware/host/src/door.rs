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
        self.refused.as_ref().is_some_and(|reason| reason == because.name())
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

/// What booting or one request cost, by the log of a firmware with the feature `figures`.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// The stack above it.
    pub above: u32,
    pub stack: u32,
    pub instructions: u32,
    pub words: u32,
    pub erased: u32,
}

/// The numbers among the words of a line.
fn numbers<const N: usize>(line: &str) -> Option<[u32; N]> {
    let numbers: Vec<u32> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().ok()
}

impl Door {
    fn logged<const N: usize>(&self, of: &str) -> Outcome<Vec<[u32; N]>> {
        let log = self.machine.log()?;
        Ok(log.lines().filter_map(|line| numbers(line.strip_prefix(of)?)).collect())
    }

    fn all_measured(&self, of: &str) -> Outcome<Vec<Measured>> {
        let all = self.logged(of)?.into_iter();
        Ok(all
            .map(|[above, stack, instructions, words, erased]| Measured { above, stack, instructions, words, erased })
            .collect())
    }

    /// Each boot. The first has made the lock.
    pub fn boots(&self) -> Outcome<Vec<Measured>> {
        self.all_measured("measured boot: ")
    }

    /// Each request; a request's line comes before its answer.
    fn requests(&self) -> Outcome<Vec<Measured>> {
        self.all_measured("measured request: ")
    }

    /// The last request.
    pub fn measured(&self) -> Outcome<Measured> {
        self.requests()?.last().copied().ok_or_else(|| "nothing was measured".into())
    }

    /// The request before the last one.
    pub fn measured_before(&self) -> Outcome<Measured> {
        self.requests()?.iter().rev().nth(1).copied().ok_or_else(|| "nothing was measured".into())
    }

    /// Words and erased pages of all requests.
    pub fn written(&self) -> Outcome<(u32, u32)> {
        let all = self.requests()?;
        Ok(all.iter().fold((0, 0), |(words, erased), one| (words + one.words, erased + one.erased)))
    }

    /// Bytes of the lock.
    pub fn size(&self) -> Outcome<u32> {
        self.logged("measured sizes: ")?.first().map(|[lock]| *lock).ok_or_else(|| "no size in the log".into())
    }
}
