//! Every error of the library, as the library tells it.

use sharekey::error::{Blame, Fault, Retry};
use sharekey::error::{
    CodeError, ContactError, FingerprintError, GuestError, IdError, KeyError, LimitsError, LoadError, LockError,
    MacMismatch, NonContributory, NotPending, OwnerError, ProviderFailed, RefuseReason, SealError, ServiceError,
    SignatureError, SlotError, StoredRecordError, StoredSlotError, StoredViewError, WireError,
};

/// One error with its cause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    pub code: &'static str,
    pub says: String,
    pub fault: Fault,
    pub retry: Retry,
}

impl Row {
    /// The code without whose it is, as the spec and the vectors have it.
    pub fn name(&self) -> &'static str {
        self.code.split_once('.').expect("a part and a name").1
    }
}

/// Of one type: its name, and its errors.
pub type Table = (&'static str, Vec<Row>);

pub fn every() -> Vec<Table> {
    macro_rules! tables {
        ($($error:ident),*) => { vec![$( (stringify!($error), rows::<$error>()) ),*] };
    }
    tables![
        GuestError,
        OwnerError,
        ServiceError,
        LockError,
        RefuseReason,
        LoadError,
        SlotError,
        ContactError,
        CodeError,
        IdError,
        FingerprintError,
        LimitsError,
        WireError,
        SignatureError,
        KeyError,
        MacMismatch,
        NonContributory,
        SealError,
        ProviderFailed,
        StoredViewError,
        StoredRecordError,
        StoredSlotError,
        NotPending
    ]
}

fn rows<E: Blame>() -> Vec<Row> {
    E::all().map(|e| Row { code: e.name(), says: e.to_string(), fault: e.fault(), retry: e.retry() }).collect()
}
