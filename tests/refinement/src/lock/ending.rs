//! How an operation of the real lock ends, and what is kept of it.

use std::collections::BTreeMap;

use sharekey::error::LockError;
use sharekey::lock::{self, Accepted, Cell, Found, Record, Refusal};
use sharekey_model::state::{Effect, Ending, Read};
use sharekey_stage::firmware::{Finish, Outcome, Output, Waiting};
use sharekey_stage::store::PowerCut;

use super::steps::Sent;

/// A store that remembers what every cell held.
#[derive(Default)]
pub struct Store(pub BTreeMap<Cell, Vec<Vec<u8>>>);

/// A store that is only looked at, as a boot finds its cells.
pub struct Seen<'s>(pub &'s Store, pub &'s BTreeMap<Cell, Read>);

impl lock::Store for Seen<'_> {
    type Error = PowerCut;

    fn put(&mut self, _record: &Record) -> Result<(), PowerCut> {
        Err(PowerCut)
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        look(self.0.found(cell, self.1.get(&cell).copied().unwrap_or(Read::Newest)))
    }
}

impl Store {
    pub fn put(&mut self, cell: Cell, bytes: &[u8]) {
        self.0.entry(cell).or_default().push(bytes.to_vec());
    }

    pub fn read(&self, cell: Cell, read: Read) -> Option<&[u8]> {
        let back = match read {
            Read::Newest => 0,
            Read::Older(by) => by,
            Read::Spoilt | Read::NotYet => return None,
        };
        self.0.get(&cell)?.iter().rev().nth(back).map(Vec::as_slice)
    }

    /// As the lock finds it.
    pub fn found(&self, cell: Cell, read: Read) -> Found<'_> {
        match self.read(cell, read) {
            Some(bytes) => Found::Bytes(bytes),
            None if self.0.contains_key(&cell) => Found::Unreadable,
            None => Found::Nothing,
        }
    }
}

/// Something that was sent: what, its bytes, and whether the deadline had passed.
#[derive(Clone)]
pub struct Envelope {
    pub sent: Sent,
    pub bytes: Vec<u8>,
    pub in_time: bool,
}

/// A detached operation: what waits, its cell, its record until that is stored, and for what it came.
pub struct Detached {
    pub waiting: Waiting,
    pub write: Option<(Cell, Vec<u8>)>,
    pub envelope: Option<Envelope>,
    pub effect: Effect,
    /// The ledger heard of it, for its record was stored.
    pub told: bool,
}

/// Ends what the lock staged in this way, at this store.
pub struct End<'s>(pub Ending, pub &'s mut Store);

impl Finish for End<'_> {
    type Out = Came;

    fn finish<T: Outcome>(&mut self, staged: Accepted<'_, T>) -> Came {
        let Self(ending, store) = self;
        let write = staged.record().map(|record| (record.cell(), record.as_bytes().to_vec()));
        let (mut output, mut waiting) = (None, None);
        match *ending {
            Ending::Commit => {
                let put = |record: &Record| {
                    store.put(record.cell(), record.as_bytes());
                    Ok::<(), ()>(())
                };
                output = Some(staged.commit(put).unwrap().output());
            }
            Ending::Drop => drop(staged),
            Ending::Fail { written } => {
                let put = |record: &Record| {
                    if written {
                        store.put(record.cell(), record.as_bytes());
                    }
                    Err(())
                };
                output = staged.commit(put).ok().map(T::output);
            }
            Ending::Detach => waiting = Some(T::waiting(staged.detach().1)),
        }
        Came::Accepted { output, waiting, write }
    }
}

/// What a step really came to.
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub enum Came {
    Accepted { output: Option<Output>, waiting: Option<Waiting>, write: Option<(Cell, Vec<u8>)> },
    Refused { why: LockError, answer: Option<Vec<u8>> },
}

impl From<Refusal> for Came {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { why: refusal.error(), answer: Some(refusal.answer().to_vec()) }
    }
}
