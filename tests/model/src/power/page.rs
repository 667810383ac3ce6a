//! A page of flash, and the power that runs out while it is written.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::{Stopped, Tear};

/// What a word reads as after an erase.
pub(super) const BLANK: u8 = 0xff;

/// How long a page is: a whole number of words of every size.
pub(super) const PAGE_LEN: usize = 200;

/// What drives the flash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Power {
    /// How many bytes are programmed or erased at once.
    pub(super) word: usize,
    pub(super) tear: Tear,
    /// How many words more; `None` for any number.
    pub(super) fuel: Option<u64>,
    /// How many words were written so far.
    pub(super) spent: u64,
    pub(super) is_on: bool,
    /// Whether the number of boots is odd: what an unsteady word reads as depends on it.
    pub(super) odd: bool,
}

impl Power {
    /// Takes the power for one word, which it may go in the middle of.
    fn spend(&mut self) -> Result<Spent, Stopped> {
        if !self.is_on {
            return Err(Stopped::PowerCut);
        }
        if let Some(fuel) = self.fuel {
            let Some(left) = fuel.checked_sub(1) else {
                self.is_on = false;
                return Ok(Spent::Cut);
            };
            self.fuel = Some(left);
        }
        self.spent = self.spent.saturating_add(1);
        Ok(Spent::Word)
    }
}

enum Spent {
    Word,
    Cut,
}

/// Bytes that are written word by word. Programming clears bits, erasing sets them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Page {
    bytes: Vec<u8>,
    /// The words whose writing was cut so that they read now this way, now that: where they begin, and
    /// what they read as on odd boots.
    unsteady: BTreeMap<usize, Vec<u8>>,
}

impl Page {
    pub(super) fn blank() -> Self {
        Self { bytes: vec![BLANK; PAGE_LEN], unsteady: BTreeMap::new() }
    }

    /// Every word of it reads the same at every boot.
    pub(super) fn is_steady(&self) -> bool {
        self.unsteady.is_empty()
    }

    /// Blank at every boot to come.
    pub(super) fn is_blank(&self) -> bool {
        self.is_steady() && self.bytes.iter().all(|byte| *byte == BLANK)
    }

    /// What it reads as since the last boot.
    pub(super) fn read(&self, odd: bool) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for (at, word) in self.unsteady.iter().filter(|_| odd) {
            bytes.iter_mut().skip(*at).zip(word).for_each(|(to, from)| *to = *from);
        }
        bytes
    }

    /// Clears the bits that are 0 in `data`, from `at` on.
    pub(super) fn program(&mut self, power: &mut Power, at: usize, data: &[u8]) -> Result<(), Stopped> {
        for (word, wanted) in (at..).step_by(power.word).zip(data.chunks(power.word)) {
            self.change(power, word, |old, index| old & wanted.get(index).copied().unwrap_or(BLANK))?;
        }
        Ok(())
    }

    /// Sets all bits, from the front. What is blank for certain takes no power: here it is known, while
    /// a driver that does not know it erases it again.
    pub(super) fn erase(&mut self, power: &mut Power) -> Result<(), Stopped> {
        for at in (0..PAGE_LEN).step_by(power.word) {
            let blank = self.bytes.iter().skip(at).take(power.word).all(|byte| *byte == BLANK);
            if !blank || self.unsteady.contains_key(&at) {
                self.change(power, at, |_, _| BLANK)?;
            }
        }
        Ok(())
    }

    /// Flips one bit, as age does.
    pub(super) fn flip(&mut self, at: usize) {
        if let Some(byte) = self.bytes.get_mut(at) {
            *byte ^= 1;
        }
    }

    /// Writes one word, or tears it.
    fn change(&mut self, power: &mut Power, at: usize, new: impl Fn(u8, usize) -> u8) -> Result<(), Stopped> {
        let old: Vec<u8> = self.read(power.odd).into_iter().skip(at).take(power.word).collect();
        let new: Vec<u8> = old.iter().enumerate().map(|(index, byte)| new(*byte, index)).collect();
        match power.spend()? {
            Spent::Word => {
                self.unsteady.remove(&at);
                self.put(at, &new);
                Ok(())
            }
            Spent::Cut => {
                self.tear(power.tear, at, &old, &new);
                Err(Stopped::PowerCut)
            }
        }
    }

    fn put(&mut self, at: usize, word: &[u8]) {
        self.bytes.iter_mut().skip(at).zip(word).for_each(|(to, from)| *to = *from);
    }

    fn tear(&mut self, tear: Tear, at: usize, old: &[u8], new: &[u8]) {
        const DONE: u8 = 0x55;
        match tear {
            Tear::Between => {}
            Tear::HalfTheBits => {
                let torn: Vec<u8> = old.iter().zip(new).map(|(old, new)| (old & !DONE) | (new & DONE)).collect();
                self.unsteady.remove(&at);
                self.put(at, &torn);
            }
            Tear::Unsteady => {
                self.put(at, old);
                self.unsteady.insert(at, Vec::from(new));
            }
        }
    }

    /// Everything about it, for telling two apart.
    pub(super) fn image(&self, odd: bool) -> Vec<u8> {
        let mut image = self.bytes.clone();
        for (at, word) in &self.unsteady {
            image.push(u8::from(odd));
            image.extend(at.to_le_bytes().into_iter().chain(word.iter().copied()));
        }
        image
    }
}
