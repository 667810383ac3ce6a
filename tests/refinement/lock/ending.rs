//! How an operation of the real lock ends, and what is kept of it.

use std::collections::BTreeMap;

use sharekey::error::LockError;
use sharekey::lock::{
    Cell, Challenged, Commanded, Erased, Found, Installed, Owned, Pending, Refusal, Session, Staged, Unlocked, purpose,
};
use sharekey::model::state::{Effect, Ending, Read};

use super::steps::Sent;

/// A store that remembers what every cell held.
#[derive(Default)]
pub struct Store(pub BTreeMap<Cell, Vec<Vec<u8>>>);

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

    pub fn seed(&self) -> Found<'_> {
        self.read(Cell::Seed, Read::Newest).map_or(Found::Nothing, Found::Bytes)
    }
}

pub enum AnySession {
    Install(Session<purpose::Install>),
    Operate(Session<purpose::Operate>),
}

/// What an accepted operation gave.
pub enum Output {
    ForInstall(Challenged<purpose::Install>),
    ToOperate(Challenged<purpose::Operate>),
    Owned(Owned),
    Commanded(Commanded),
    Installed(Installed),
    Unlocked(Unlocked),
    Erased(Erased),
}

pub enum Waiting {
    ForInstall(Pending<Challenged<purpose::Install>>),
    ToOperate(Pending<Challenged<purpose::Operate>>),
    Owned(Pending<Owned>),
    Commanded(Pending<Commanded>),
    Installed(Pending<Installed>),
    Unlocked(Pending<Unlocked>),
    Erased(Pending<Erased>),
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

/// How a staged operation ended.
pub struct Ended<T> {
    pub output: Option<T>,
    pub pending: Option<Pending<T>>,
    pub write: Option<(Cell, Vec<u8>)>,
}

pub fn end<T>(staged: Staged<'_, T>, ending: Ending, store: &mut Store) -> Ended<T> {
    let write = staged.record().map(|record| (record.cell(), record.as_bytes().to_vec()));
    let (mut output, mut pending) = (None, None);
    match ending {
        Ending::Commit => {
            let put = |record: &sharekey::lock::Record| {
                store.put(record.cell(), record.as_bytes());
                Ok::<(), ()>(())
            };
            output = Some(staged.commit(put).unwrap());
        }
        Ending::Drop => drop(staged),
        Ending::Fail { written } => {
            let put = |record: &sharekey::lock::Record| {
                if written {
                    store.put(record.cell(), record.as_bytes());
                }
                Err(())
            };
            output = staged.commit(put).ok();
        }
        Ending::Detach => pending = Some(staged.detach().1),
    }
    Ended { output, pending, write }
}

/// What a step really came to.
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub enum Came {
    Accepted { output: Option<Output>, waiting: Option<Waiting>, write: Option<(Cell, Vec<u8>)> },
    Refused { why: LockError, answer: Option<Vec<u8>> },
}

pub fn came<T>(
    result: Result<Ended<T>, (LockError, Option<Vec<u8>>)>,
    output: fn(T) -> Output,
    waiting: fn(Pending<T>) -> Waiting,
) -> Came {
    match result {
        Ok(ended) => {
            Came::Accepted { output: ended.output.map(output), waiting: ended.pending.map(waiting), write: ended.write }
        }
        Err((why, answer)) => Came::Refused { why, answer },
    }
}

pub fn refused(refusal: &Refusal) -> (LockError, Option<Vec<u8>>) {
    (refusal.error(), Some(refusal.answer().to_vec()))
}
