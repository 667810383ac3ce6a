//! Every error of the library, as the library tells it.

use std::fmt;

use sharekey::error::{Blame, Fault, Retry};
use sharekey::error::{
    BootError, CodeError, ContactError, FingerprintError, GuestError, HexError, IdError, KeyError, LimitsError,
    LinkError, LoadError, LockError, MacMismatch, NonContributory, NotPending, OwnerError, ProviderFailed,
    RefuseReason, SealError, SealedError, ServeError, ServiceError, SignatureError, SlotError, StoredRecordError,
    StoredSlotError, StoredViewError, WireError,
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
        ($($error:ident),*) => { vec![$( (stringify!($error), $error::all().map(row).collect()) ),*] };
    }
    let mut all = tables![
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
        HexError,
        FingerprintError,
        LimitsError,
        LinkError,
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
        NotPending,
        SealedError
    ];
    // What fails here is a board, in its own words.
    let seals = || SealError::all().map(BootError::Seal);
    let boot = [BootError::SeedUnreadable, BootError::Board(Words)].into_iter().chain(seals());
    all.push(("BootError", boot.map(row).collect()));
    let serve = [ServeError::Boot, ServeError::Board(Words)].into_iter();
    all.push(("ServeError", serve.chain(SealError::all().map(ServeError::Remake)).map(row).collect()));
    all
}

fn row(error: impl Blame) -> Row {
    Row { code: error.name(), says: error.to_string(), fault: error.fault(), retry: error.retry() }
}

/// Whatever a board says.
#[derive(Debug)]
struct Words;

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
