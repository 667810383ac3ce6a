//! Reports that were taken in, and what they convict the service of.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::report::AsOf;
use crate::message::Report;
use crate::wire::Unverified;

/// A report that was taken in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Reported {
    pub(super) as_of: AsOf,
    /// Its signed part: evidence.
    #[serde(with = "crate::form::messages::one")]
    pub(super) report: Vec<u8>,
}

impl Reported {
    pub(super) fn contradicts(&self, other: &Report) -> bool {
        Unverified::parse(&self.report).is_ok_and(|report| contradict(report.claims(), other))
    }
}

/// Whether a service that said both is convicted: of one version of one record it says two things.
pub(super) fn contradict(one: &Report, other: &Report) -> bool {
    let of = |report: &Report| (report.lock, report.epoch, report.slot, report.version);
    let content = |report: &Report| (report.state, report.slots, report.messages);
    of(one) == of(other) && content(one) != content(other)
}

/// Two reports of one version that say different things.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Contradiction {
    #[serde(with = "crate::form::messages::one")]
    pub(super) first: Vec<u8>,
    #[serde(with = "crate::form::messages::one")]
    pub(super) second: Vec<u8>,
}
