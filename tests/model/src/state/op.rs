//! What can happen to a lock, and what must come of it.

use alloc::collections::BTreeMap;

use super::cell::Content;
use super::facts::{Purpose, Request};
use sharekey::counter::{Counter, Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::{LockError, RefuseReason};
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::lock::{Cell, Now};
use sharekey::message::{Completed, LockTime};

/// What becomes of an accepted operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ending {
    /// Its record is written, and its result taken.
    Commit,
    /// It is dropped before the write begins.
    Drop,
    /// The write fails, or is cancelled. (Where there is nothing to write, nothing fails.)
    Fail {
        /// Whether it reached the store all the same.
        written: bool,
    },
    /// It is taken off the lock, to be reported later.
    Detach,
}

/// What a reading of a cell finds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Read {
    /// What was written last.
    Newest,
    /// Nothing, or nothing that is a sound record of this lock.
    Spoilt,
    /// A copy from this many writes before the last: the store breaks its contract.
    Older(usize),
    /// It is not read (at a boot).
    NotYet,
}

/// Something that happens to a lock.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant, reason = "a test keeps few of them")]
pub enum Op {
    /// Somebody asks for a challenge.
    Challenge {
        /// What for.
        purpose: Purpose,
        /// When.
        now: Now,
        /// What becomes of it.
        ending: Ending,
    },
    /// Somebody sends something, in the session of a challenge.
    Request {
        /// The challenge whose session it is.
        session: u64,
        /// What is sent.
        request: Request,
        /// When.
        now: Now,
        /// What becomes of it, if it is accepted.
        ending: Ending,
    },
    /// The record of a detached operation reaches the store, and nobody tells the lock yet.
    Store {
        /// The operation.
        ticket: u64,
    },
    /// A detached operation is reported written; its record is in the store by then.
    Written {
        /// The operation.
        ticket: u64,
    },
    /// A detached operation is given up.
    Abandon {
        /// The operation.
        ticket: u64,
    },
    /// A cell is read again. A write that waits for it takes effect no more.
    Reload {
        /// The cell.
        cell: Cell,
        /// What is found.
        read: Read,
    },
    /// The lock boots, and reads its cells: those not named here as written last.
    Boot {
        /// What is found.
        reads: BTreeMap<Cell, Read>,
    },
    /// The lock is made, as a boot that found none orders.
    Make {
        /// How many of the writes are made before the power goes; all of them where it does not.
        writes: usize,
    },
}

/// What an accepted operation does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// A challenge is given.
    Challenged {
        /// The number that the model knows it, its nonce and its session by.
        id: u64,
        /// The counter's number that is in its nonce; `None` on a lock that cannot count.
        number: Option<Counter>,
    },
    /// The lock belongs to an owner.
    Provisioned {
        /// The owner.
        owner: PublicKey,
        /// The service.
        service: PublicKey,
        /// It did before, and says so again.
        again: bool,
    },
    /// A key is installed.
    Installed {
        /// Where.
        slot: SlotId,
        /// Its number.
        generation: Generation,
        /// The grant's digest.
        grant: Digest,
        /// Whose it is.
        device: PublicKey,
        /// The number that the model knows the new pairing key by.
        pairing: u64,
        /// The very key that was installed is keyed again.
        again: bool,
    },
    /// The bolt moves for a guest.
    Unlocked {
        /// Which way.
        action: Action,
        /// By the key of this slot.
        slot: SlotId,
        /// With this number.
        generation: Generation,
        /// Of this device.
        device: PublicKey,
    },
    /// A command is carried out.
    Done {
        /// The epoch that the Done names.
        epoch: Epoch,
        /// Its time.
        time: LockTime,
        /// What it says.
        completed: Completed,
    },
    /// The lock is no more.
    Erased,
}

/// Which kind of answer a refusal gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The header alone.
    Opaque,
    /// Signed by the lock.
    Signed(RefuseReason),
    /// A reply under the pairing key.
    Reply(RefuseReason),
}

/// What must come of an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant, reason = "a test keeps few of them")]
pub enum Verdict {
    /// It is accepted.
    Accepted {
        /// What it does.
        effect: Effect,
        /// What it writes.
        record: Option<Content>,
        /// By which number it is known while it is detached.
        ticket: Option<u64>,
    },
    /// It is refused.
    Refused {
        /// Why.
        why: LockError,
        /// What is answered to a request.
        answer: Option<Answer>,
    },
    /// It is so, and there is nothing to say.
    So,
    /// The boot finds no lock, or one that was not made to the end: it has to be made.
    NotMade,
}
