//! Bodies of messages as JSON: numbers as numbers, bytes as lower-case hexadecimal, enumerations by name.

use serde_json::{Value, json};
use sharekey::crypto::PublicKey;
use sharekey::limits::{Limits, Rights, Schedule, Timestamp};
use sharekey::message::{
    Bundle, Challenge, Claim, Command, Completed, Connect, Done, FactoryReset, Grant, Holding, Install, Operation,
    Outcome, Provision, Provisioned, Receipt, RefusedBody, Release, Reply, SlotReport, Unlock, Withdraw, Withdrawn,
    WithdrawnOutcome,
};

pub fn hex(bytes: impl AsRef<[u8]>) -> Value {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

pub fn key(key: &PublicKey) -> Value {
    hex(key.as_bytes())
}

fn named(value: &impl std::fmt::Debug) -> Value {
    format!("{value:?}").into()
}

fn seconds(time: Timestamp) -> Value {
    time.unix_seconds().into()
}

pub fn rights(rights: Rights) -> Value {
    u8::from(rights).into()
}

pub fn limits(limits: &Limits) -> Value {
    json!({
        "from": limits.from().map(seconds),
        "until": limits.until().map(seconds),
        "schedule": limits.schedule().map(schedule),
        "uses": limits.uses(),
    })
}

pub fn schedule(schedule: &Schedule) -> Value {
    let (start, end) = schedule.window();
    let next = schedule.next_offset().map(|next| json!({ "at": seconds(next.at), "offset": next.offset.minutes() }));
    json!({
        "days": u8::from(schedule.days()),
        "start": start,
        "end": end,
        "offset": schedule.offset().minutes(),
        "next": next,
    })
}

pub fn operation(operation: &Operation) -> Value {
    match operation {
        Operation::Activate { slot, generation } => {
            json!({ "type": "Activate", "slot": slot.index(), "generation": generation.value() })
        }
        Operation::Deactivate { slot, generation } => {
            json!({ "type": "Deactivate", "slot": slot.index(), "generation": generation.value() })
        }
        Operation::Transfer { owner, service } => {
            json!({ "type": "Transfer", "owner": key(owner), "service": key(service) })
        }
        Operation::SetClock { to } => json!({ "type": "SetClock", "to": seconds(*to) }),
        Operation::Act { action } => json!({ "type": "Act", "action": named(action) }),
        Operation::Inspect { slot } => json!({ "type": "Inspect", "slot": slot.index() }),
    }
}

pub fn report(report: &SlotReport) -> Value {
    let holding = match &report.holding {
        Holding::Inactive => json!({ "type": "Inactive" }),
        Holding::Empty => json!({ "type": "Empty" }),
        Holding::Installed { grant, device } => {
            json!({ "type": "Installed", "grant": hex(grant.as_bytes()), "device": key(device) })
        }
    };
    json!({ "floor": report.floor.value(), "holding": holding })
}

pub fn completed(completed: &Completed) -> Value {
    match completed {
        Completed::Activate { slot, generation, left } => {
            json!({ "type": "Activate", "slot": slot.index(), "generation": generation.value(), "left": report(left) })
        }
        Completed::Deactivate { slot, generation, left } => {
            json!({ "type": "Deactivate", "slot": slot.index(), "generation": generation.value(), "left": report(left) })
        }
        Completed::Inspect { slot, left } => {
            json!({ "type": "Inspect", "slot": slot.index(), "left": report(left) })
        }
        Completed::Transfer { owner, service } => operation(&Operation::Transfer { owner: *owner, service: *service }),
        Completed::SetClock { to } => operation(&Operation::SetClock { to: *to }),
        Completed::Act { action } => operation(&Operation::Act { action: *action }),
    }
}

pub fn withdrawn_outcome(outcome: &WithdrawnOutcome) -> Value {
    match outcome {
        WithdrawnOutcome::NeverReleased => json!({ "type": "NeverReleased" }),
        WithdrawnOutcome::Released { install } => json!({ "type": "Released", "install": hex(install.as_bytes()) }),
        WithdrawnOutcome::Settled => json!({ "type": "Settled" }),
    }
}

/// The fields of a body, by the names of the spec.
pub trait Form {
    fn form(&self) -> Value;
}

impl Form for Grant {
    fn form(&self) -> Value {
        json!({
            "lock": key(self.lock.key()),
            "epoch": self.epoch.value(),
            "slot": self.slot.index(),
            "generation": self.generation.value(),
            "subject": key(&self.subject),
            "rights": rights(self.rights),
            "limits": limits(&self.limits),
        })
    }
}

impl Form for Withdraw {
    fn form(&self) -> Value {
        json!({
            "lock": key(self.lock.key()),
            "epoch": self.epoch.value(),
            "slot": self.slot.index(),
            "generation": self.generation.value(),
            "grant": hex(self.grant.as_bytes()),
        })
    }
}

impl Form for Withdrawn {
    fn form(&self) -> Value {
        json!({ "withdraw": self.withdraw.form(), "outcome": withdrawn_outcome(&self.outcome) })
    }
}

impl Form for Claim {
    fn form(&self) -> Value {
        json!({ "grant": hex(self.grant.as_bytes()), "device": key(&self.device) })
    }
}

impl Form for Challenge {
    fn form(&self) -> Value {
        json!({ "lock": key(self.lock.key()), "nonce": hex(self.nonce.as_bytes()) })
    }
}

impl Form for Connect {
    fn form(&self) -> Value {
        json!({ "purpose": named(&self.purpose) })
    }
}

impl Form for Install {
    fn form(&self) -> Value {
        json!({
            "claim": hex(self.claim.as_bytes()),
            "nonce": hex(self.nonce.as_bytes()),
            "agreement": hex(self.agreement.as_bytes()),
        })
    }
}

impl Form for Release {
    fn form(&self) -> Value {
        json!({ "install": hex(self.install.as_bytes()) })
    }
}

impl Form for Receipt {
    fn form(&self) -> Value {
        json!({
            "install": hex(self.install.as_bytes()),
            "lock": key(self.lock.key()),
            "epoch": self.epoch.value(),
            "slot": self.slot.index(),
            "generation": self.generation.value(),
            "grant": hex(self.grant.as_bytes()),
            "device": key(&self.device),
            "agreement": hex(self.agreement.as_bytes()),
        })
    }
}

impl Form for Bundle<'_> {
    fn form(&self) -> Value {
        json!({
            "grant": hex(self.grant),
            "claim": hex(self.claim),
            "install": hex(self.install),
            "release": hex(self.release),
        })
    }
}

impl Form for Unlock {
    fn form(&self) -> Value {
        json!({
            "slot": self.slot.index(),
            "action": named(&self.action),
            "lock_nonce": hex(self.lock_nonce.as_bytes()),
            "guest_nonce": hex(self.guest_nonce.as_bytes()),
        })
    }
}

impl Form for Reply {
    fn form(&self) -> Value {
        let outcome = match &self.outcome {
            Outcome::Accepted => json!({ "type": "Accepted" }),
            Outcome::Refused { reason } => json!({ "type": "Refused", "reason": named(reason) }),
        };
        json!({ "outcome": outcome, "unlock": hex(self.unlock.as_bytes()) })
    }
}

impl Form for Command {
    fn form(&self) -> Value {
        json!({
            "lock": key(self.lock.key()),
            "epoch": self.epoch.value(),
            "lock_nonce": hex(self.lock_nonce.as_bytes()),
            "owner_nonce": hex(self.owner_nonce.as_bytes()),
            "operation": operation(&self.operation),
        })
    }
}

impl Form for Done {
    fn form(&self) -> Value {
        json!({
            "command": hex(self.command.as_bytes()),
            "lock": key(self.lock.key()),
            "epoch": self.epoch.value(),
            "completed": completed(&self.completed),
        })
    }
}

impl Form for RefusedBody {
    fn form(&self) -> Value {
        json!({ "request": hex(self.request.as_bytes()), "reason": named(&self.reason) })
    }
}

impl Form for Provision {
    fn form(&self) -> Value {
        json!({
            "lock_nonce": hex(self.lock_nonce.as_bytes()),
            "owner_nonce": hex(self.owner_nonce.as_bytes()),
            "owner": key(&self.owner),
            "service": key(&self.service),
        })
    }
}

impl Form for Provisioned {
    fn form(&self) -> Value {
        json!({
            "lock": key(self.lock.key()),
            "epoch": self.epoch.value(),
            "owner": key(&self.owner),
            "service": key(&self.service),
            "card": hex(self.card.as_bytes()),
        })
    }
}

impl Form for FactoryReset {
    fn form(&self) -> Value {
        json!({ "lock": key(self.lock.key()), "nonce": hex(self.nonce.as_bytes()) })
    }
}
