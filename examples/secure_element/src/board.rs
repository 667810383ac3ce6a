//! The board: a microcontroller's flash, and the element beside it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::rc::Rc;

use rand_core::UnwrapErr;
use sharekey::lock::{Cell, Clock, Found, Lock, Making, Now, Record, StoredSeed};
use sharekey::secret::ActivationSecret;

use super::element::Element;
use super::host::Host;

pub const SLOTS: usize = 2;
pub const CARD: [u8; 16] = [7; 16];
pub const NOW: Now = Now { ticks: 0, clock: Clock::Unset };

pub type Door = Lock<Host, SLOTS>;

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

    pub fn put(&mut self, record: &Record) -> Result<(), Infallible> {
        self.flash.insert(record.cell().key(), record.as_bytes().to_vec());
        Ok(())
    }

    fn seed(&self) -> Found<'_> {
        self.flash.get(&Cell::Seed.key()).map_or(Found::Nothing, |bytes| Found::Bytes(bytes))
    }

    /// The first boot, and the one after a factory reset.
    pub fn make(&mut self) -> Result<Door, Box<dyn Error>> {
        let host = Host(Rc::clone(&self.element));
        let mut making = Making::<Host, SLOTS>::new(host, card(), self.seed(), &mut entropy())?;
        while let Some(record) = making.record()? {
            self.put(&record)?;
            making.written();
        }
        Ok(making.finish().map_err(|_| "a record was not written")?)
    }

    /// Any other boot: what was in memory is gone, flash and element are as they were.
    pub fn boot(&self) -> Result<Door, Box<dyn Error>> {
        let seed = StoredSeed::read(self.seed())?;
        let mut lock = Lock::load(Host(Rc::clone(&self.element)), card(), &seed)?;
        for cell in Door::cells() {
            lock.reload(cell, self.flash.get(&cell.key()).map(Vec::as_slice))?;
        }
        Ok(lock)
    }
}
