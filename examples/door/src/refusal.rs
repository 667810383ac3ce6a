//! How a refusal is told: what was wrong, whose fault it is, what to do.

use std::fmt;

use sharekey::error::{Blame, Fault, Retry};

/// A refusal by one of the roles. Whoever refused changed nothing.
#[derive(Debug)]
pub struct Refusal {
    by: String,
    what: String,
    code: &'static str,
    fault: Fault,
    retry: Retry,
    /// What reached whoever asked, where that is less than the truth.
    heard: Option<String>,
    /// What else may be behind it.
    hint: Option<&'static str>,
}

impl Refusal {
    pub fn new(by: &str, error: impl Blame) -> Self {
        let (fault, retry) = (error.fault(), error.retry());
        Self { by: by.into(), what: error.to_string(), code: error.name(), fault, retry, heard: None, hint: None }
    }

    /// A refusal that is this program's own, not the library's.
    pub fn own(by: &str, what: &str, fault: Fault, retry: Retry) -> Self {
        Self { by: by.into(), what: what.into(), code: "", fault, retry, heard: None, hint: None }
    }

    pub const fn hint(&mut self, hint: &'static str) {
        self.hint = Some(hint);
    }

    pub const fn retry(&self) -> Retry {
        self.retry
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
        if !self.code.is_empty() {
            write!(f, " ({})", self.code)?;
        }
        write!(f, "\n  fault: {}", self.fault)?;
        write!(f, "\n  to do: {} ({:?})", self.retry, self.retry)?;
        self.heard.as_ref().map_or(Ok(()), |heard| write!(f, "\n  {heard}"))?;
        self.hint.map_or(Ok(()), |hint| write!(f, "\n  or: {hint}"))
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

/// Says who refused.
pub trait By<T> {
    fn by(self, who: &str) -> anyhow::Result<T>;
}

impl<T, E: Blame> By<T> for Result<T, E> {
    fn by(self, who: &str) -> anyhow::Result<T> {
        self.map_err(|error| Refusal::new(who, error).into())
    }
}
