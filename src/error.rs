//! What was wrong, whose fault it is, and what to do.
//!
//! Every check has its own variant, so that support can tell. Errors are `Copy` and hold no strings. Each can be asked
//! for its code, whose fault it is and what to do: [`Blame`].

#[macro_use]
mod rows;
mod blame;
#[macro_use]
mod bytes;
#[macro_use]
mod slot;
#[macro_use]
mod refuse;
mod board;
mod guest;
mod lock;
#[cfg(feature = "alloc")]
mod owner;
#[cfg(feature = "alloc")]
mod sealed;
#[cfg(feature = "alloc")]
mod service;
#[cfg(feature = "alloc")]
mod staged;
mod texts;

pub use self::blame::{Blame, Fault, Retry};
pub use self::board::{BootError, ServeError};
pub use self::bytes::{
    KeyError, LimitsError, MacMismatch, NonContributory, ProviderFailed, SealError, SignatureError, WireError,
};
pub use self::guest::GuestError;
pub use self::lock::{LoadError, LockError};
#[cfg(feature = "alloc")]
pub use self::owner::{OwnerError, StoredViewError};
pub use self::refuse::RefuseReason;
#[cfg(feature = "alloc")]
pub use self::sealed::SealedError;
#[cfg(feature = "alloc")]
pub use self::service::{ServiceError, StoredRecordError};
pub use self::slot::{SlotError, StoredSlotError};
#[cfg(feature = "alloc")]
pub use self::staged::NotPending;
pub use self::texts::{CodeError, HexError, LinkError};
#[cfg(feature = "alloc")]
pub use self::texts::{ContactError, FingerprintError, IdError};
