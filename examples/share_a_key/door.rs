//! The lock: a board around the library's front door, with flash that survives a power cut.

use std::collections::HashMap;
use std::convert::Infallible;

use sharekey::crypto::Ring;
use sharekey::id::LockId;
use sharekey::limits::Timestamp;
use sharekey::lock::{self, Board, Cell, Clock, Effect, Found, Now, Record, SLOTS, Store};
use sharekey::secret::ActivationSecret;

use sharekey_apps::{Outcome, Radio, entropy, story};

/// What is soldered to the lock. The flash survives a power cut.
#[derive(Default)]
struct Hardware {
    flash: HashMap<Cell, Vec<u8>>,
    /// Not set, until the owner does.
    clock: Option<Timestamp>,
}

impl Store for Hardware {
    type Error = Infallible;

    /// A real one returns once the record is durable.
    fn put(&mut self, record: &Record) -> Result<(), Infallible> {
        self.flash.insert(record.cell(), record.as_bytes().to_vec());
        Ok(())
    }

    /// A real one also says where there is something that it cannot read.
    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        match self.flash.get(&cell) {
            Some(bytes) => look(Found::Bytes(bytes)),
            None => look(Found::Nothing),
        }
    }
}

impl Board for Hardware {
    fn set_clock(&mut self, to: Option<Timestamp>) -> Result<(), Infallible> {
        self.clock = to;
        Ok(())
    }
}

pub struct Door {
    door: lock::Door<Ring, Hardware, SLOTS>,
    card: [u8; 16],
    ticks: u64,
    bolt_moves: usize,
}

impl Door {
    pub fn make(card: &ActivationSecret) -> Outcome<Self> {
        Self::boot(*card.expose(), Hardware::default())
    }

    fn boot(card: [u8; 16], hardware: Hardware) -> Outcome<Self> {
        let door = lock::Door::boot(Ring, ActivationSecret::from_bytes(card), hardware, &mut entropy())?;
        Ok(Self { door, card, ticks: 0, bolt_moves: 0 })
    }
}

impl story::Door for Door {
    fn cut_the_power(&mut self) -> Outcome<()> {
        let flash = std::mem::take(&mut self.door.board().flash);
        let bolt_moves = self.bolt_moves;
        *self = Self { bolt_moves, ..Self::boot(self.card, Hardware { flash, clock: None })? };
        Ok(())
    }

    fn bolt_moves(&self) -> Outcome<usize> {
        Ok(self.bolt_moves)
    }
}

impl Radio for Door {
    fn id(&self) -> LockId {
        self.door.lock().id()
    }

    fn send(&mut self, message: &[u8]) -> Outcome<Vec<u8>> {
        self.ticks += 50;
        let clock = self.door.board().clock.map_or(Clock::Unset, Clock::At);
        let served = self.door.serve(message, Now { ticks: self.ticks, clock }, None, &mut entropy())?;
        // What was refused moves nothing, and a real one logs why.
        if let Effect::Bolt { .. } = served.effect() {
            self.bolt_moves += 1;
        }
        Ok(served.answer().to_vec())
    }
}
