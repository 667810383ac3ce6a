//! The whole story: what is told is in `examples/apps/src/story.rs`, one plain line a step, with the phones and the cloud
//! beside it; the lock is here. Exits with an error as soon as anything deviates from it.
#![allow(clippy::arithmetic_side_effects, reason = "a program, not the library")]

use std::collections::HashMap;
use std::convert::Infallible;

use sharekey::crypto::Ring;
use sharekey::id::LockId;
use sharekey::limits::Timestamp;
use sharekey::lock::{self, Battery, Cell, Clock, Effect, Found, Now, Record, SLOTS};
use sharekey::secret::ActivationSecret;
use sharekey_apps::{Outcome, Radio, entropy, story};

/// What is soldered to the lock: flash, which survives a power cut, and a clock that is not set until the owner does.
#[derive(Default)]
struct Board {
    flash: HashMap<Cell, Vec<u8>>,
    clock: Option<Timestamp>,
    ticks: u64,
}

impl lock::Store for Board {
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

impl lock::Board for Board {
    fn set_clock(&mut self, to: Option<Timestamp>) -> Result<(), Infallible> {
        self.clock = to;
        Ok(())
    }
}

struct Door {
    lock: lock::Door<Ring, Board, SLOTS>,
    card: [u8; 16],
    bolt_moves: usize,
}

fn boot(card: [u8; 16], board: Board) -> Outcome<lock::Door<Ring, Board, SLOTS>> {
    Ok(lock::Door::boot(Ring, ActivationSecret::from_bytes(card), board, &mut entropy())?)
}

impl Radio for Door {
    fn id(&self) -> LockId {
        self.lock.lock().id()
    }

    fn send(&mut self, message: &[u8]) -> Outcome<Vec<u8>> {
        let board = self.lock.board();
        board.ticks += 50;
        let clock = board.clock.map_or(Clock::Unset, Clock::At);
        let now = Now { ticks: board.ticks, clock, battery: Battery::at(80) };
        let served = self.lock.serve(message, now, None, &mut entropy())?;
        // What was refused moves nothing, and a real one logs why.
        self.bolt_moves += usize::from(matches!(served.effect(), Effect::Bolt { .. }));
        Ok(served.answer().to_vec())
    }
}

impl story::Door for Door {
    fn cut_the_power(&mut self) -> Outcome<()> {
        let flash = std::mem::take(&mut self.lock.board().flash);
        self.lock = boot(self.card, Board { flash, ..Board::default() })?;
        Ok(())
    }

    fn bolt_moves(&self) -> Outcome<usize> {
        Ok(self.bolt_moves)
    }
}

fn main() -> Outcome<()> {
    let card = ActivationSecret::random(&mut entropy());
    let lock = boot(*card.expose(), Board::default())?;
    story::play(&mut Door { lock, card: *card.expose(), bolt_moves: 0 }, &card)?;
    story::say("All as it should be.");
    Ok(())
}
