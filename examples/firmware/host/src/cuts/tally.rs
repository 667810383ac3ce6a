//! How often what was cut, and what it left.

use std::collections::BTreeMap;
use std::fmt;

use super::operation::Operation;
use super::world::{Left, World};
use crate::machine::CutShort;

/// The figures of a run.
#[derive(Default, Debug)]
pub struct Tally {
    /// Operations that were cut.
    pub cuts: usize,
    /// Cuts while the firmware booted, besides.
    pub at_boot: usize,
    /// The answer had come before the cut.
    pub answered: usize,
    /// The state was the one before.
    pub before: usize,
    /// The state was the one after.
    pub after: usize,
    /// The cut fell between two words of a write: words were written, and the state was the one before.
    pub torn: usize,
    /// Challenges, no two of them with the same nonce.
    pub nonces: usize,
    /// Of these, challenges that were given while the source of entropy was broken.
    pub without_entropy: usize,
    /// Keys that are dead and were tried.
    pub dead_tried: usize,
    /// Accepted requests that were sent again.
    pub replayed: usize,
    /// How often the bolt moved.
    pub moves: usize,
    by_operation: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub(super) fn count(&mut self, operation: Operation, cut: &CutShort, left: Left) {
        self.cuts += 1;
        self.answered += usize::from(cut.answer.is_some());
        *self.by_operation.entry(operation.name()).or_default() += 1;
        match left {
            Left::Before => {
                self.before += 1;
                self.torn += usize::from(cut.words > 0);
            }
            Left::After => self.after += 1,
            Left::Either => {}
        }
    }

    pub(super) fn finish(&mut self, world: &World) {
        (self.nonces, self.without_entropy) = (world.machine.nonces(), world.machine.without_entropy);
        (self.dead_tried, self.replayed, self.moves) = (world.dead_tried, world.replayed, world.ledger.moves);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cuts (", self.cuts)?;
        for (index, (name, count)) in self.by_operation.iter().enumerate() {
            write!(f, "{}{name} {count}", if index == 0 { "" } else { ", " })?;
        }
        write!(f, "), {} more while booting; ", self.at_boot)?;
        write!(f, "{} left the state before ({} of them with words written), ", self.before, self.torn)?;
        write!(f, "{} the one after, {} after the answer", self.after, self.answered)?;
        if self.nonces > 0 {
            write!(f, "; {} nonces, {} of them without entropy; ", self.nonces, self.without_entropy)?;
            write!(f, "{} dead keys tried, {} requests replayed, ", self.dead_tried, self.replayed)?;
            write!(f, "the bolt moved {} times", self.moves)?;
        }
        Ok(())
    }
}
