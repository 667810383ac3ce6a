//! `owner status --json`: stable, and documented in `examples/door/README.md`.

use serde_json::{Value, json};
use sharekey::contacts::ContactBook;
use sharekey::id::SlotId;
use sharekey::limits::{Limits, Schedule};
use sharekey::owner::{Equivocation, KeyStatus, Method, OwnedLock, Standing, Status, Whom};
use sharekey::slot::State;

use crate::moment;
use crate::schedule::{clock, day_names, show_offset};
use crate::show::actions;

pub fn print(view: &OwnedLock, contacts: &ContactBook, slot: Option<SlotId>) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&lock(view, contacts, slot))?);
    Ok(())
}

fn lock(view: &OwnedLock, contacts: &ContactBook, slot: Option<SlotId>) -> Value {
    let slots: Vec<Value> = slot.map_or_else(
        || view.every_slot().map(|slot| one_slot(&view.status(slot), contacts)).collect(),
        |slot| vec![one_slot(&view.status(slot), contacts)],
    );
    let lies = view.equivocations().map(|guilt| match guilt {
        Equivocation::Release { slot, key, .. } => {
            json!({ "slot": slot.index(), "generation": key.generation.value(), "grant": key.grant.to_string() })
        }
        Equivocation::Report { slot, .. } => json!({ "slot": slot.index(), "reports": 2 }),
    });
    json!({
        "lock": view.lock().key().to_string(),
        "epoch": view.epoch().value(),
        "owner": view.owner().to_string(),
        "service": view.service().to_string(),
        "owned": view.standing() == Standing::Owned,
        "slots": slots,
        "service_lied": lies.collect::<Vec<_>>(),
    })
}

fn one_slot(status: &Status, contacts: &ContactBook) -> Value {
    let key = |found| key(found, contacts);
    json!({
        "slot": status.slot.index(),
        "state": status.state.map(state),
        "shared": status.shared.as_ref().map(key),
        "may_open": status.may_open.iter().map(key).collect::<Vec<_>>(),
        "inspected": status.inspected,
        "as_of": status.as_of.map(|as_of| json!({ "version": as_of.version, "time": moment::show(as_of.time) })),
        "nobody_can_open": status.nobody_can_open().map(moment::show),
    })
}

const fn state(state: State) -> &'static str {
    match state {
        State::Inactive => "inactive",
        State::NotShared => "not_shared",
        State::Sharing => "sharing",
        State::Shared => "shared",
    }
}

fn key(key: &KeyStatus, contacts: &ContactBook) -> Value {
    let (contact, former) = match key.whom(contacts) {
        Whom::Contact(id, _) => (Some(id.to_string()), None),
        Whom::FormerContact(id) => (None, Some(id.to_string())),
        _ => (None, None),
    };
    let method = key.method.map(|method| match method {
        Method::Account => "id",
        Method::Code => "code",
    });
    json!({
        "generation": key.key.generation.value(),
        "grant": key.key.grant.to_string(),
        "method": method,
        "contact": contact,
        "former_contact": former,
        "subject": key.subject().map(|subject| subject.to_string()),
        "rights": key.rights().map(actions),
        "limits": key.limits().map(|limits| self::limits(&limits)),
        "downloaded": key.downloaded.map(|proof| {
            json!({ "device": proof.device.to_string(), "proof": proof.proof.to_string() })
        }),
        "withdrawing": key.withdrawing,
    })
}

fn limits(limits: &Limits) -> Value {
    json!({
        "from": limits.valid_from().map(moment::show),
        "until": limits.valid_until().map(moment::show),
        "schedule": limits.schedule().map(schedule),
        "uses": limits.max_uses(),
    })
}

fn schedule(schedule: &Schedule) -> Value {
    let (start, end) = schedule.window();
    json!({
        "days": day_names(schedule.days()),
        "hours": [clock(start), clock(end)],
        "offset": show_offset(schedule.offset()),
    })
}
