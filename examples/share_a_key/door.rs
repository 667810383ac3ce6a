//! The lock: firmware around the lock role, with flash that survives a power cut.

use std::collections::HashMap;
use std::convert::Infallible;

use sharekey::crypto::Ring;
use sharekey::error::LockError;
use sharekey::id::LockId;
use sharekey::limits::Timestamp;
use sharekey::lock::{Cell, Challenged, Clock, Found, Lock, Making, Now, Record, SLOTS, Session, StoredSeed, purpose};
use sharekey::message::Operation;
use sharekey::secret::ActivationSecret;
use sharekey::wire::Encoded;

use super::{Outcome, entropy};

pub struct Door {
    lock: Lock<Ring, SLOTS>,
    card: [u8; 16],
    flash: Flash,
    clock: u64,
    ticks: u64,
    bolt_moves: usize,
}

#[derive(Default)]
struct Flash(HashMap<Cell, Vec<u8>>);

impl Flash {
    /// A real one returns once the record is durable.
    fn put(&mut self, record: &Record) -> Result<(), Infallible> {
        self.0.insert(record.cell(), record.as_bytes().to_vec());
        Ok(())
    }

    fn get(&self, cell: Cell) -> Option<&[u8]> {
        self.0.get(&cell).map(Vec::as_slice)
    }

    /// A real one also tells what it cannot read from what is not there.
    fn seed(&self) -> Found<'_> {
        self.get(Cell::Seed).map_or(Found::Nothing, Found::Bytes)
    }
}

/// What the lock answers, where it refuses.
pub struct Refused {
    pub error: LockError,
    pub answer: Vec<u8>,
}

impl From<sharekey::lock::Refusal> for Refused {
    fn from(refusal: sharekey::lock::Refusal) -> Self {
        Self { error: refusal.error(), answer: refusal.answer().to_vec() }
    }
}

impl Door {
    pub fn make(card: &ActivationSecret, clock: u64) -> Outcome<Self> {
        let mut flash = Flash::default();
        let card = *card.expose();
        let mut making = Making::new(Ring, ActivationSecret::from_bytes(card), flash.seed(), &mut entropy())?;
        while let Some(record) = making.record()? {
            flash.put(&record)?;
            making.written();
        }
        let lock = making.finish().map_err(|_| "the lock is not made to the end")?;
        Ok(Self { lock, card, flash, clock, ticks: 0, bolt_moves: 0 })
    }

    /// Only what is on flash survives.
    pub fn cut_the_power(&mut self) -> Outcome<()> {
        let seed = StoredSeed::read(self.flash.seed())?;
        self.lock = Lock::load(Ring, ActivationSecret::from_bytes(self.card), &seed)?;
        for cell in Lock::<Ring, SLOTS>::cells() {
            self.lock.reload(cell, self.flash.get(cell))?;
        }
        self.ticks = 0;
        Ok(())
    }

    pub fn id(&self) -> LockId {
        self.lock.id()
    }

    pub fn bolt_moves(&self) -> usize {
        self.bolt_moves
    }

    /// Somebody connects, for a purpose, and gets a challenge.
    pub fn connect<P: purpose::Purpose>(&mut self) -> Outcome<(Vec<u8>, Session<P>)> {
        let now = self.now();
        let staged = self.lock.challenge::<P>(now, &mut entropy())?;
        let Challenged { challenge, session } = staged.commit(|record| self.flash.put(record))?;
        Ok((challenge.to_vec(), session))
    }

    pub fn provision(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Refused> {
        let now = self.now();
        let staged = self.lock.provision(session, message, now)?;
        let Ok(owned) = staged.commit(|record| self.flash.put(record));
        Ok(bytes(&owned.provisioned))
    }

    pub fn command(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Refused> {
        let now = self.now();
        let staged = self.lock.command(session, message, now)?;
        let Ok(commanded) = staged.commit(|record| self.flash.put(record));
        match commanded.operation {
            Operation::Act { .. } => self.bolt_moves += 1,
            Operation::SetClock { to } => self.clock = to.unix_seconds(),
            _ => {}
        }
        Ok(bytes(&commanded.done))
    }

    pub fn install(&mut self, session: Session<purpose::Install>, bundle: &[u8]) -> Result<Vec<u8>, Refused> {
        let now = self.now();
        let staged = self.lock.install(session, bundle, now, &mut entropy())?;
        let Ok(installed) = staged.commit(|record| self.flash.put(record));
        Ok(bytes(&installed.receipt))
    }

    pub fn unlock(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Refused> {
        let now = self.now();
        let staged = self.lock.unlock(session, message, now)?;
        let Ok(unlocked) = staged.commit(|record| self.flash.put(record));
        // Only here is there an `Unlocked` to move the bolt by.
        self.bolt_moves += 1;
        Ok(bytes(&unlocked.reply))
    }

    fn now(&mut self) -> Now {
        self.ticks += 50;
        Now { ticks: self.ticks, clock: Clock::At(Timestamp::from_unix_seconds(self.clock)) }
    }
}

fn bytes<T>(message: &Encoded<T>) -> Vec<u8> {
    message.as_bytes().to_vec()
}
