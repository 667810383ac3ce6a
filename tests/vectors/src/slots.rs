//! `slot.json`: the number line and the states of one slot, event by event.

use serde_json::{Value, json};
use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::Digest;
use sharekey::error::SlotError;
use sharekey::message::{Holding, SlotReport, WithdrawnOutcome};
use sharekey::slot::{GrantRef, Observer, Proof, Recorder, Slot, Turn, Witness};

use super::keys::{public, some_digest};
use super::peer::fail::error_name;
use super::peer::form::{form, hex, key as key_json};

/// Something that happens to a slot. Grants are told by number and a letter.
#[derive(Clone, Copy)]
enum Event {
    Publish(u32, char),
    Release(u32, char, &'static str),
    Withdraw(u32, char),
    Receipt(u32, char),
    Activate(u32),
    Deactivate(u32),
    Empty(u32),
    Closed(u32),
    Holds(u32, char),
    /// At the owner: the answer to a withdrawal.
    Withdrawn(u32, char, Told),
    /// At the owner: another phone's grant.
    Learn(u32, char),
}

#[derive(Clone, Copy)]
enum Told {
    Never,
    Released,
    Settled,
}

fn grant(n: u32, letter: char) -> Digest {
    some_digest(&format!("grant {n}{letter}"))
}

fn key(n: u32, letter: char) -> GrantRef {
    GrantRef { generation: Generation::new(n), grant: grant(n, letter) }
}

fn install(device: &str) -> Digest {
    some_digest(&format!("install of {device}"))
}

fn proof(n: u32, letter: char) -> Proof {
    Proof {
        key: key(n, letter),
        device: public("device"),
        install: Some(install("device")),
        proof: some_digest("a receipt"),
    }
}

fn vacant(floor: u32, holding: Holding) -> SlotReport {
    SlotReport { floor: Generation::new(floor), holding }
}

fn holds(n: u32, letter: char) -> SlotReport {
    let holding = Holding::Installed { grant: grant(n, letter), device: public("device") };
    SlotReport { floor: Generation::new(n), holding }
}

fn refusal(result: &Result<(), SlotError>) -> Value {
    json!({ "error": result.as_ref().err().map(error_name) })
}

/// What both the record and the view know of.
fn common<W: Witness>(slot: &mut Slot<W>, event: Event) -> Value {
    match event {
        Event::Publish(n, letter) => return refusal(&slot.publish(key(n, letter))),
        Event::Receipt(n, letter) => slot.confirm(&proof(n, letter)),
        Event::Activate(n) => slot.done(Turn::Activate, Generation::new(n)),
        Event::Deactivate(n) => slot.done(Turn::Deactivate, Generation::new(n)),
        Event::Empty(n) => slot.inspected(&vacant(n, Holding::Empty), some_digest("an inspection")),
        Event::Closed(n) => slot.inspected(&vacant(n, Holding::Inactive), some_digest("an inspection")),
        Event::Holds(n, letter) => slot.inspected(&holds(n, letter), some_digest("an inspection")),
        _ => panic!("not an event of this slot"),
    }
    json!({})
}

fn at_record(slot: &mut Slot<Recorder>, event: Event) -> Value {
    match event {
        Event::Release(n, letter, device) => refusal(&slot.release(&grant(n, letter), public(device), install(device))),
        Event::Withdraw(n, letter) => json!({ "outcome": form(&slot.withdraw(key(n, letter))) }),
        other => common(slot, other),
    }
}

fn at_owner(slot: &mut Slot<Observer>, event: Event) -> Value {
    match event {
        Event::Withdrawn(n, letter, told) => refusal(&slot.withdrawn(key(n, letter), &outcome(told))),
        Event::Learn(n, letter) => refusal(&slot.learn(key(n, letter))),
        other => common(slot, other),
    }
}

fn outcome(told: Told) -> WithdrawnOutcome {
    match told {
        Told::Never => WithdrawnOutcome::NeverReleased,
        Told::Released => WithdrawnOutcome::Released { install: install("device") },
        Told::Settled => WithdrawnOutcome::Settled,
    }
}

fn event_json(event: Event) -> Value {
    let named = |name: &str, n: u32, letter: char| json!({ "type": name, "generation": n, "grant": hex(grant(n, letter).as_bytes()) });
    match event {
        Event::Publish(n, letter) => named("Publish", n, letter),
        Event::Withdraw(n, letter) => named("Withdraw", n, letter),
        Event::Learn(n, letter) => named("Learn", n, letter),
        Event::Release(n, letter, device) => {
            let mut json = named("Release", n, letter);
            json["device"] = key_json(&public(device));
            json["install"] = hex(install(device).as_bytes());
            json
        }
        Event::Receipt(n, letter) => {
            let mut json = named("Receipt", n, letter);
            json["device"] = key_json(&public("device"));
            json["install"] = hex(install("device").as_bytes());
            json
        }
        Event::Holds(n, letter) => {
            let mut json = named("Inspect", n, letter);
            json["holding"] = "Installed".into();
            json["device"] = key_json(&public("device"));
            json
        }
        Event::Empty(n) => json!({ "type": "Inspect", "generation": n, "holding": "Empty" }),
        Event::Closed(n) => json!({ "type": "Inspect", "generation": n, "holding": "Inactive" }),
        Event::Activate(n) => json!({ "type": "Activate", "generation": n }),
        Event::Deactivate(n) => json!({ "type": "Deactivate", "generation": n }),
        Event::Withdrawn(n, letter, told) => {
            let mut json = named("Withdrawn", n, letter);
            json["outcome"] = form(&outcome(told));
            json
        }
    }
}

fn slot_json<W: Witness>(slot: &Slot<W>) -> Value {
    let live = slot.may_open().iter().map(|live| {
        json!({
            "generation": live.key().generation.value(),
            "grant": hex(live.key().grant.as_bytes()),
            "confirmed": live.confirmation().is_some(),
        })
    });
    json!({
        "state": format!("{:?}", slot.state()),
        "highest": slot.highest().value(),
        "floor": slot.floor().value(),
        "last_told": slot.last_told().value(),
        "shared": slot.shared().map(|shared| hex(shared.grant.as_bytes())),
        "device": slot.device().map(|device| key_json(&device)),
        "downloaded": slot.is_downloaded(),
        "live": live.collect::<Vec<_>>(),
    })
}

/// Runs events from a new slot on; keeps each event, what it gave, and the slot afterwards.
fn run<W: Witness>(who: &str, name: &str, events: &[Event], step: impl Fn(&mut Slot<W>, Event) -> Value) -> Value {
    let mut slot = Slot::<W>::new(Epoch::FIRST);
    let mut steps = Vec::new();
    for event in events {
        let gave = step(&mut slot, *event);
        steps.push(json!({ "event": event_json(*event), "gave": gave, "slot": slot_json(&slot) }));
    }
    json!({ "name": format!("{who}: {name}"), "role": who, "steps": steps })
}

/// Ways to each state, and every event behind each way.
fn ways() -> Vec<(&'static str, Vec<Event>)> {
    let (on, off) = (Event::Activate(1), Event::Deactivate(2));
    vec![
        ("a new slot", vec![]),
        ("not shared", vec![on]),
        ("closed again", vec![on, off]),
        ("sharing", vec![on, Event::Publish(4, 'a')]),
    ]
}

fn record_ways() -> Vec<(&'static str, Vec<Event>)> {
    let sharing = [Event::Activate(1), Event::Publish(4, 'a')];
    let then = |more: &[Event]| [&sharing[..], more].concat();
    let release = Event::Release(4, 'a', "device");
    let mut ways = ways();
    ways.extend([
        ("released", then(&[release])),
        ("downloaded", then(&[release, Event::Receipt(4, 'a')])),
        ("revoked", then(&[Event::Withdraw(4, 'a')])),
        ("reset", then(&[release, Event::Withdraw(4, 'a')])),
        ("reset after the download", then(&[release, Event::Receipt(4, 'a'), Event::Withdraw(4, 'a')])),
        ("shared again after a reset", then(&[release, Event::Withdraw(4, 'a'), Event::Publish(6, 'b')])),
    ]);
    ways
}

fn owner_ways() -> Vec<(&'static str, Vec<Event>)> {
    let sharing = [Event::Activate(1), Event::Publish(4, 'a')];
    let then = |more: &[Event]| [&sharing[..], more].concat();
    let mut ways = ways();
    ways.extend([
        ("downloaded", then(&[Event::Receipt(4, 'a')])),
        ("revoked", then(&[Event::Withdrawn(4, 'a', Told::Never)])),
        ("reset", then(&[Event::Withdrawn(4, 'a', Told::Released)])),
        ("a twin is known", then(&[Event::Learn(4, 'z')])),
    ]);
    ways
}

fn common_events() -> Vec<(&'static str, Event)> {
    vec![
        ("publish above", Event::Publish(9, 'c')),
        ("publish the same", Event::Publish(4, 'a')),
        ("publish a twin", Event::Publish(4, 'z')),
        ("publish below", Event::Publish(1, 'y')),
        ("a receipt of the share", Event::Receipt(4, 'a')),
        ("a receipt of a twin", Event::Receipt(4, 'z')),
        ("a receipt above", Event::Receipt(9, 'c')),
        ("a receipt between", Event::Receipt(3, 'x')),
        ("a receipt below", Event::Receipt(1, 'y')),
        ("activate above", Event::Activate(9)),
        ("activate between", Event::Activate(3)),
        ("activate below", Event::Activate(1)),
        ("deactivate above", Event::Deactivate(9)),
        ("deactivate between", Event::Deactivate(3)),
        ("inspect: empty at the share", Event::Empty(4)),
        ("inspect: empty below", Event::Empty(1)),
        ("inspect: empty above", Event::Empty(9)),
        ("inspect: inactive at the share", Event::Closed(4)),
        ("inspect: inactive below", Event::Closed(1)),
        ("inspect: inactive between", Event::Closed(3)),
        ("inspect: inactive above", Event::Closed(9)),
        ("inspect: holds the share", Event::Holds(4, 'a')),
        ("inspect: holds another, above", Event::Holds(9, 'c')),
    ]
}

pub fn file() -> Value {
    let mut cases = Vec::new();
    let mut record_events = common_events();
    record_events.extend([
        ("release", Event::Release(4, 'a', "device")),
        ("release to another device", Event::Release(4, 'a', "other device")),
        ("release of another grant", Event::Release(6, 'c', "device")),
        ("withdraw the share", Event::Withdraw(4, 'a')),
        ("withdraw a twin", Event::Withdraw(4, 'z')),
        ("withdraw one that was never published", Event::Withdraw(9, 'c')),
        ("withdraw one below", Event::Withdraw(1, 'y')),
    ]);
    for (way, before) in record_ways() {
        for (what, event) in &record_events {
            let events = [&before[..], &[*event]].concat();
            cases.push(last(run("service", &format!("{way}, then {what}"), &events, at_record)));
        }
    }
    let mut owner_events = common_events();
    owner_events.extend([
        ("never released", Event::Withdrawn(4, 'a', Told::Never)),
        ("released", Event::Withdrawn(4, 'a', Told::Released)),
        ("settled", Event::Withdrawn(4, 'a', Told::Settled)),
        ("an unknown one was released", Event::Withdrawn(9, 'c', Told::Released)),
        ("learn above", Event::Learn(9, 'c')),
        ("learn a twin", Event::Learn(4, 'z')),
        ("learn below", Event::Learn(1, 'y')),
    ]);
    for (way, before) in owner_ways() {
        for (what, event) in &owner_events {
            let events = [&before[..], &[*event]].concat();
            cases.push(last(run("owner", &format!("{way}, then {what}"), &events, at_owner)));
        }
    }
    let about = "One slot in one epoch, as the service's record and as the owner's view keep it: events from a new slot on. \
                 Each case gives all events, and what the last one gave and left. A Release, Withdraw, Withdrawn or Learn \
                 is of the role that knows it.";
    super::file(about, json!({}), cases)
}

/// Only what the last event gave and left; the events before are told.
fn last(run: Value) -> Value {
    let steps = run["steps"].as_array().unwrap();
    let events: Vec<Value> = steps.iter().map(|step| step["event"].clone()).collect();
    let end = steps.last().unwrap();
    json!({ "name": run["name"], "role": run["role"], "events": events, "gave": end["gave"], "slot": end["slot"] })
}
