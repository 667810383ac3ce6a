//! The board: a microcontroller's flash, and the element beside it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::rc::Rc;

use rand_core::UnwrapErr;
use sharekey::limits::Timestamp;
use sharekey::lock::{self, Battery, BootError, Cell, Clock, Found, Now, Record};
use sharekey::secret::ActivationSecret;

use super::element::Element;
use super::host::Host;

pub const CARD: [u8; 16] = [7; 16];
pub const NOW: Now = Now { ticks: 0, clock: Clock::Absent, battery: Battery::UNKNOWN };

pub type Door<'b> = lock::Door<Host, &'b mut Board, 2>;

pub fn card() -> ActivationSecret {
    ActivationSecret::from_bytes(CARD)
}

/// The operating system's entropy; on a board, the chip's.
pub fn entropy() -> UnwrapErr<getrandom::SysRng> {
    UnwrapErr(getrandom::SysRng)
}

pub struct Board {
    pub element: Rc<Element>,
    pub flash: BTreeMap<u16, Vec<u8>>,
}

impl Board {
    pub fn new() -> Self {
        Self { element: Rc::new(Element::new(Box::new(entropy()))), flash: BTreeMap::new() }
    }

    /// What was in memory is gone, flash and element are as they were. Where they hold no lock, one is made.
    pub fn boot(&mut self) -> Result<Door<'_>, BootError<Infallible>> {
        Door::boot(Host(Rc::clone(&self.element)), card(), self, &mut entropy())
    }
}

impl lock::Store for Board {
    type Error = Infallible;

    fn put(&mut self, record: &Record) -> Result<(), Infallible> {
        self.flash.insert(record.cell().key(), record.as_bytes().to_vec());
        Ok(())
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        match self.flash.get(&cell.key()) {
            Some(bytes) => look(Found::Bytes(bytes)),
            None => look(Found::Nothing),
        }
    }
}

impl lock::Board for Board {
    fn set_clock(&mut self, _to: Option<Timestamp>) -> Result<(), Infallible> {
        Ok(())
    }
}
