//! The reference model: what must happen, written from the spec's text and from nothing else.
//!
//! A [`LockModel`] is told each request as facts (which signatures hold, which digests match, numbers
//! and times) and says what must come of it: accepted, with what effect and which record, or refused,
//! for which reason and with which kind of answer. A `RecordModel` says the same of the service's
//! record of one slot, a [`ViewModel`] of the owner's phone, and a [`GuestModel`] of a guest's device.
//!
//! All are plain values: a test keeps copies "before" and "after". None calls the code that it is
//! compared with; errors of the roles stand here as names only. Where the library counts cleverly,
//! this counts slowly.

mod cell;
mod facts;
mod guest;
pub mod limits;
mod lock;
mod op;
mod owner;
#[cfg(feature = "alloc")]
mod record;
mod request;
mod slot;
mod store;
pub mod table;

pub use self::cell::{Aged, CellModel, Content, CounterModel, Flash, HeaderModel, Hold, Holds, KeyModel, SlotModel};
pub use self::facts::{
    BundleFacts, CommandFacts, NewKey, ProvisionFacts, Purpose, Request, ResetFacts, Signed, UnlockFacts,
};
pub use self::guest::{GuestModel, GuestStep, ReceiptFacts};
pub use self::lock::{LockModel, Open, Ownership, PendingModel};
pub use self::op::{Answer, Effect, Ending, Op, Read, Verdict};
pub use self::owner::{OwnerStep, ViewModel};
#[cfg(feature = "alloc")]
pub use self::record::{Meant, RecordModel, RecordStep, RecordVerdict};
pub use self::slot::{LineModel, LiveModel, ShareModel};
