//! How a refusal is told: what was wrong, whose fault it is, what to do.

use std::fmt;

use sharekey::error::{
    CodeError, ContactError, Fault, GuestError, IdError, LimitsError, LoadError, LockError, OwnerError, Retry,
    SealError, ServiceError, WireError,
};

/// A refusal by one of the roles. Whoever refused changed nothing.
#[derive(Debug)]
pub struct Refusal {
    by: String,
    what: String,
    variant: String,
    fault: Fault,
    retry: Retry,
    /// What reached whoever asked, where that is less than the truth.
    heard: Option<String>,
}

impl Refusal {
    pub fn new(by: &str, error: impl Blame) -> Self {
        let Blamed { fault, retry } = error.blame();
        Self { by: by.into(), what: error.to_string(), variant: format!("{error:?}"), fault, retry, heard: None }
    }

    /// A refusal that is this program's own, not the library's.
    pub fn own(by: &str, what: &str, fault: Fault, retry: Retry) -> Self {
        Self { by: by.into(), what: what.into(), variant: String::new(), fault, retry, heard: None }
    }

    /// Adds what whoever asked was told.
    pub fn heard(mut self, who: &str, error: &impl Blame) -> Self {
        self.heard = Some(format!("{who} hears: {error}"));
        self
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused by {}: {}", self.by, self.what)?;
        if !self.variant.is_empty() {
            write!(f, " ({})", self.variant)?;
        }
        write!(f, "\n  fault: {}", fault(self.fault))?;
        write!(f, "\n  to do: {} ({:?})", retry(self.retry), self.retry)?;
        self.heard.as_ref().map_or(Ok(()), |heard| write!(f, "\n  {heard}"))
    }
}

fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Owner => "the owner",
        Fault::Guest => "the guest",
        Fault::Service => "the service",
        Fault::Lock => "the lock",
        Fault::Transport => "whatever carried the message",
        Fault::Caller => "this program or its storage",
        _ => "unknown",
    }
}

fn retry(retry: Retry) -> &'static str {
    match retry {
        Retry::Never => "nothing, the same request will never succeed",
        Retry::Resend => "get the message again, unaltered",
        Retry::NewChallenge => "ask the lock for a new challenge and answer that",
        Retry::WhenClockSet => "try again once the lock's clock is set",
        Retry::WithinLimits => "try again when the key's limits allow it",
        Retry::AfterReload => "try again once the record was read again",
        Retry::AfterMaking => "try again once the lock was made anew",
        Retry::AfterRefresh => "read the record again and decide again",
        Retry::HigherNumber => "sign again with a higher number",
        Retry::AfterOwnerActs => "wait until the owner has acted",
        Retry::OtherInput => "try with another input, this one is wrong",
        Retry::Later => "try again later",
        _ => "unknown",
    }
}

/// The lock's power was cut while it wrote.
#[derive(Debug)]
pub struct PowerCut {
    pub after: u64,
}

impl std::error::Error for PowerCut {}

impl fmt::Display for PowerCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the lock lost its power after {} bytes", self.after)
    }
}

/// Whose fault an error is, and what to do.
pub struct Blamed {
    fault: Fault,
    retry: Retry,
}

/// An error of the library that blames somebody.
pub trait Blame: fmt::Display + fmt::Debug {
    fn blame(&self) -> Blamed;
}

macro_rules! blame {
    ($($error:ty),*) => {$(
        impl Blame for $error {
            fn blame(&self) -> Blamed {
                Blamed { fault: self.fault(), retry: self.retry() }
            }
        }
    )*};
}

blame!(
    CodeError,
    ContactError,
    GuestError,
    IdError,
    LimitsError,
    LoadError,
    LockError,
    OwnerError,
    SealError,
    ServiceError,
    WireError
);

/// Says who refused.
pub trait By<T> {
    fn by(self, who: &str) -> anyhow::Result<T>;
}

impl<T, E: Blame> By<T> for Result<T, E> {
    fn by(self, who: &str) -> anyhow::Result<T> {
        self.map_err(|error| Refusal::new(who, error).into())
    }
}
