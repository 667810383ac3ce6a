//! One file a kind of message, its body; and one that says what an owner can order, and what a lock says of it.
//!
//! | kind | from → to | authenticator |
//! |---|---|---|
//! | [`Grant`] | owner → service → guest → lock | OwnerKey |
//! | [`Withdraw`] | owner → service | OwnerKey |
//! | [`Withdrawn`] | service → owner | ServiceKey |
//! | [`Claim`] | guest identity → service, lock | subject's key |
//! | [`Connect`] | whoever comes → lock | none |
//! | [`Challenge`] | lock → whoever connects | none |
//! | [`Install`] | guest device → service, lock | DeviceKey |
//! | [`Release`] | service → guest → lock | ServiceKey |
//! | [`Bundle`] | guest device → lock | those of its parts |
//! | [`Receipt`] | lock → guest → service → owner | LockKey |
//! | [`Unlock`] | guest → lock | PairingKey MAC |
//! | [`Reply`] | lock → guest | PairingKey MAC |
//! | [`Command`] | owner → lock | OwnerKey |
//! | [`Done`] | lock → owner → service | LockKey |
//! | [`Refused`] | lock → whoever sent | LockKey, or none |
//! | [`Provision`] | owner → factory-fresh lock | activation secret MAC |
//! | [`Provisioned`] | lock → owner → service | LockKey |
//! | [`FactoryReset`] | holder of the card → lock | activation secret MAC |
//! | [`ReportRequest`] | owner → service | OwnerKey |
//! | [`Report`] | service → owner | ServiceKey |
//! | [`FindRequest`] | guest identity → service | subject's key |

#[cfg(feature = "alloc")]
mod answer;
mod bundle;
mod challenge;
mod claim;
mod command;
mod condition;
mod connect;
mod done;
mod factory_reset;
mod grant;
mod install;
mod operation;
mod provision;
mod provisioned;
mod receipt;
mod refused;
mod release;
mod reply;
pub(crate) mod report;
mod unlock;
mod withdraw;
mod withdrawn;

#[cfg(feature = "alloc")]
pub use self::answer::ReportAnswer;
pub use self::bundle::Bundle;
pub use self::challenge::Challenge;
pub use self::claim::Claim;
pub use self::command::Command;
pub use self::condition::{Battery, LockTime};
pub use self::connect::{Connect, ConnectFor};
pub use self::done::{Done, Holding, SlotReport};
pub use self::factory_reset::FactoryReset;
pub use self::grant::Grant;
pub use self::install::Install;
pub use self::operation::{Completed, Operation};
pub use self::provision::Provision;
pub use self::provisioned::Provisioned;
pub use self::receipt::Receipt;
pub use self::refused::{Refused, RefusedBody};
pub use self::release::Release;
pub use self::reply::{Outcome, Reply};
pub use self::report::{FindRequest, Report, ReportRequest};
pub use self::unlock::Unlock;
pub use self::withdraw::Withdraw;
pub use self::withdrawn::{Withdrawn, WithdrawnOutcome};
