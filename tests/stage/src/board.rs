//! The board that a front door runs on, on which one thing goes wrong.

use sharekey::limits::Timestamp;
use sharekey::lock::{Board, Cell, Found, Record};

use crate::store::{PowerCut, Store};

/// What goes wrong at the board, once or for good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The next write fails, having reached the flash or not.
    Write { reaches: bool },
    /// The next so many readings of a cell come to nothing.
    Read(Cell, usize),
    /// The clock cannot be set.
    Clock,
}

/// A store, a clock, and what goes wrong with them next.
#[derive(Clone, Default)]
pub struct Bench {
    pub store: Store,
    pub clock: Option<Timestamp>,
    pub fault: Option<Fault>,
    /// What the clock read at each write.
    pub written_at: Vec<Option<Timestamp>>,
}

impl sharekey::lock::Store for Bench {
    type Error = PowerCut;

    fn put(&mut self, record: &Record) -> Result<(), PowerCut> {
        if let Some(Fault::Write { reaches }) = self.fault.take_if(|fault| matches!(fault, Fault::Write { .. })) {
            if reaches {
                self.store.put(record)?;
            }
            return Err(PowerCut);
        }
        self.written_at.push(self.clock);
        self.store.put(record)
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        if let Some(Fault::Read(unreadable, times)) = self.fault
            && unreadable == cell
            && times > 0
        {
            self.fault = Some(Fault::Read(cell, times - 1));
            return look(Found::Unreadable);
        }
        look(self.store.found(cell))
    }
}

impl Board for Bench {
    fn set_clock(&mut self, to: Option<Timestamp>) -> Result<(), PowerCut> {
        if self.fault.take_if(|fault| *fault == Fault::Clock).is_some() {
            return Err(PowerCut);
        }
        self.clock = to;
        Ok(())
    }
}
