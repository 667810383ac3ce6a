//! The slot's transition table: what it says, that the diagram says the same, and that the slots and their stored form
//! keep to it.

use std::collections::BTreeSet;

use sharekey::counter::Epoch;
use sharekey::crypto::{Digest, PublicKey};
use sharekey::message::WithdrawnOutcome;
use sharekey::slot::{Observer, Recorder, Slot, State, Turn, Witness};
use sharekey_model::state::LineModel;
use sharekey_model::state::table::{Event, Outcome, Step, next};
use sharekey_stage::desk::{device, generation};
use sharekey_stage::forge::some_digest;
use sharekey_stage::slots::{RELEASED, active, key, proof_of, publish, release, shared, twin};

#[test]
fn the_table_is_what_was_reviewed() {
    let mut table = String::new();
    for event in Event::ALL {
        for state in State::ALL {
            table += &format!("{state:?} × {event:?}: {:?}\n", next(state, *event));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn the_table_leaves_out_only_what_needs_a_share_or_a_key() {
    for event in Event::ALL {
        // A slot that holds a key is open.
        let needs_a_key = *event == Event::LearnDownloaded;
        assert_eq!(
            next(State::Inactive, *event) == Outcome::Never,
            next(State::NotShared, *event) == Outcome::Never || needs_a_key,
            "{event:?}"
        );
    }
}

fn diagram() -> String {
    let mut mermaid = String::from("stateDiagram-v2\n    [*] --> Inactive\n");
    for from in State::ALL {
        for to in State::ALL {
            let events: Vec<_> = Event::ALL
                .iter()
                .filter(|event| next(from, **event) == Outcome::Go(to))
                .map(|event| format!("{event:?}"))
                .collect();
            if !events.is_empty() {
                mermaid += &format!("    {from:?} --> {to:?}: {}\n", events.join(", "));
            }
        }
    }
    mermaid
}

#[test]
fn the_diagram_in_the_spec_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/diagrams/slot.mmd");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, diagram()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), diagram(), "run with UPDATE=1 to write it anew");
}

/// Where a diagram stands in the text, between its marker and the end of its fence.
fn in_text(text: &str, name: &str) -> std::ops::Range<usize> {
    let marker = format!("<!-- diagram: {name} -->\n```mermaid\n");
    let start = text.find(&marker).unwrap_or_else(|| panic!("{name} does not stand in the text")) + marker.len();
    start..start + text[start..].find("```\n").unwrap()
}

/// Those that are drawn by hand too: the file and the text are one.
#[test]
fn every_diagram_stands_in_the_text_as_it_is() {
    let spec = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec");
    let path = format!("{spec}/protocol.md");
    let mut text = std::fs::read_to_string(&path).unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(format!("{spec}/diagrams")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap();
        let drawn = if name == "slot.mmd" { diagram() } else { std::fs::read_to_string(&file).unwrap() };
        if std::env::var_os("UPDATE").is_some() {
            text.replace_range(in_text(&text, name), &drawn);
            std::fs::write(&path, &text).unwrap();
        }
        assert_eq!(text[in_text(&text, name)], drawn, "{name}: run with UPDATE=1 to write it anew");
        count += 1;
    }
    assert_eq!(text.matches("```mermaid\n").count(), count, "each diagram of the text has its file");
}

// --- the slots keep to it -----------------------------------------------------------------------

/// Every step over two numbers with two grants each, and two devices.
fn steps() -> Vec<Step> {
    let keys = [key(2), twin(2), key(3), key(4)];
    let mut steps = Vec::new();
    for number in 1..5 {
        steps.extend([true, false].map(|activate| Step::Done { activate, number: generation(number) }));
    }
    for key in keys {
        steps.extend([Step::Confirm(key), Step::Publish(key), Step::Withdraw(key), Step::Learn(key)]);
        steps.extend([device(), other_device()].map(|device| Step::Release(key.grant, device)));
    }
    steps
}

fn other_device() -> PublicKey {
    PublicKey::from_bytes([77; 32])
}

fn install() -> Digest {
    some_digest(50)
}

/// What one role makes of a step; `None` for one that is the other role's. A slot and its model go along.
type Taken = Option<Result<(), sharekey::error::SlotError>>;

fn by_both<W: Witness>(slot: &mut Slot<W>, model: &mut LineModel, step: Step) -> Taken {
    match step {
        Step::Done { activate, number } => {
            slot.done(if activate { Turn::Activate } else { Turn::Deactivate }, number);
            model.done(activate, number);
        }
        Step::Confirm(key) => {
            let proof = proof_of(key);
            slot.confirm(&proof);
            model.confirm(key, proof.device, proof.install, proof.proof);
        }
        Step::Publish(key) => {
            let gave = slot.publish(key);
            if model.publish(key).is_ok() && W::SIGNED_MAY_OPEN {
                model.live.entry(key).or_default();
            }
            return Some(gave);
        }
        _ => return None,
    }
    Some(Ok(()))
}

fn by_record(slot: &mut Slot<Recorder>, model: &mut LineModel, step: Step) -> Taken {
    match step {
        Step::Release(grant, device) => {
            let _ = model.release(&grant, device, install());
            Some(slot.release(&grant, device, install()))
        }
        Step::Withdraw(key) => {
            assert_eq!(slot.withdraw(key), model.withdraw(key));
            Some(Ok(()))
        }
        step => by_both(slot, model, step),
    }
}

fn by_owner(slot: &mut Slot<Observer>, model: &mut LineModel, step: Step) -> Taken {
    match step {
        Step::Withdraw(key) => {
            let _ = model.withdrawn(key, &WithdrawnOutcome::NeverReleased);
            Some(slot.withdrawn(key, &WithdrawnOutcome::NeverReleased))
        }
        Step::Learn(key) => {
            let _ = model.learn(key);
            Some(slot.learn(key))
        }
        step => by_both(slot, model, step),
    }
}

/// Goes every way of so many steps, and notes each cell of the table that a step went by.
fn every_way<W: Witness>(
    depth: usize,
    take: fn(&mut Slot<W>, &mut LineModel, Step) -> Taken,
    seen: &mut BTreeSet<(String, Event)>,
) {
    let mut ways = vec![(Slot::<W>::new(Epoch::FIRST), LineModel::new(Epoch::FIRST))];
    let mut known = BTreeSet::new();
    for _ in 0..depth {
        let before = std::mem::take(&mut ways);
        for (slot, model) in before {
            for step in steps() {
                let (mut slot, mut model, event) = (slot.clone(), model.clone(), model.event(step));
                let from = slot.state();
                let Some(gave) = take(&mut slot, &mut model, step) else { continue };
                let (state, result) = match next(from, event) {
                    Outcome::Go(state) => (state, Ok(())),
                    Outcome::Stay => (from, Ok(())),
                    Outcome::Refuse(error) => (from, Err(error)),
                    Outcome::Never => panic!("{from:?} × {event:?} came about: {slot:?}"),
                };
                assert_eq!((slot.state(), gave), (state, result), "{from:?} × {event:?}");
                seen.insert((format!("{from:?}"), event));
                if known.insert(format!("{slot:?}")) {
                    ways.push((slot, model));
                }
            }
        }
    }
}

/// All but the two that need sixteen live keys: `slot_line` has those.
#[test]
fn every_cell_of_the_table_comes_about_and_no_other() {
    let mut seen = BTreeSet::new();
    every_way(4, by_record, &mut seen);
    every_way(4, by_owner, &mut seen);
    for event in Event::ALL {
        for state in State::ALL {
            let expected = next(state, *event) != Outcome::Never && *event != Event::PublishFull;
            assert_eq!(seen.contains(&(format!("{state:?}"), *event)), expected, "{state:?} × {event:?}");
        }
    }
}

// --- the stored form ----------------------------------------------------------------------------

fn json<W: Witness>(slot: &Slot<W>) -> serde_json::Value {
    serde_json::to_value(slot).unwrap()
}

/// Reads a stored slot back after `tamper`, and gives the complaint.
fn tampered<W: Witness>(slot: &Slot<W>, tamper: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut value = json(slot);
    tamper(&mut value);
    serde_json::from_value::<Slot<W>>(value).unwrap_err().to_string()
}

fn confirmed() -> Slot<Recorder> {
    let mut slot = shared(5);
    slot.confirm(&proof_of(key(5)));
    slot
}

#[test]
fn every_state_survives_storage() {
    for slot in [Slot::new(Epoch::FIRST), active(), publish(active(), 2), shared(2), confirmed()] {
        assert_eq!(serde_json::from_value::<Slot>(json(&slot)).unwrap(), slot);
        let compact = postcard::to_allocvec(&slot).unwrap();
        assert_eq!(postcard::from_bytes::<Slot>(&compact).unwrap(), slot);
    }
}

#[test]
fn a_stored_slot_that_contradicts_itself_is_refused() {
    let slot = confirmed();
    type Tamper = fn(&mut serde_json::Value);
    let cases: [(&str, Tamper); 8] = [
        ("the last told is above the proven floor", |v| v["line"]["last_told"] = 6.into()),
        ("the proven floor is above the highest number seen", |v| v["line"]["highest"] = 4.into()),
        ("the live keys are not sorted or not unique", |v| {
            let first = v["line"]["live"][0].clone();
            v["line"]["live"].as_array_mut().unwrap().push(first);
        }),
        ("a live key's number is out of range", |v| v["line"]["live"][0]["key"]["generation"] = 4.into()),
        ("a live key's number is out of range", |v| v["line"]["live"][0]["key"]["generation"] = 6.into()),
        ("a live key is the proven floor exactly if it is confirmed", |v| {
            (v["line"]["floor"], v["line"]["last_told"]) = (4.into(), 4.into());
        }),
        ("the share and the live keys contradict each other", |v| {
            v["state"]["Shared"][0]["grant"] = "00".repeat(32).into()
        }),
        ("the share's device is not the confirmed one", |v| v["state"]["Shared"][1] = "00".repeat(32).into()),
    ];
    for (complaint, tamper) in cases {
        assert_eq!(tampered(&slot, tamper), complaint);
    }
}

#[test]
fn a_stored_slot_with_too_many_live_keys_is_refused() {
    let mut slot = active();
    for n in 2..18 {
        slot = release(publish(slot, n), n);
        assert_eq!(slot.withdraw(key(n)), RELEASED);
    }
    assert_eq!(serde_json::from_value::<Slot>(json(&slot)).unwrap(), slot);
    assert_eq!(
        tampered(&slot, |v| {
            let mut one_more = v["line"]["live"][15].clone();
            one_more["key"]["generation"] = 18.into();
            v["line"]["highest"] = 18.into();
            v["line"]["live"].as_array_mut().unwrap().push(one_more);
        }),
        "too many live keys"
    );
}

#[test]
fn a_stored_share_must_be_above_the_floor_and_fit_its_witness() {
    let out_of_range = "the share's number is out of range";
    let slot: Slot = publish(active(), 5);
    assert_eq!(tampered(&slot, |v| v["state"]["Sharing"]["generation"] = 1.into()), out_of_range);
    assert_eq!(tampered(&slot, |v| v["state"]["Sharing"]["generation"] = 6.into()), out_of_range);
    assert_eq!(tampered(&slot, |v| v["line"]["floor"] = 5.into()), out_of_range);

    // The record does not count an unreleased grant as live; the owner's view does.
    let contradiction = "the share and the live keys contradict each other";
    let as_owner = serde_json::from_value::<Slot<Observer>>(json(&slot)).unwrap_err();
    assert_eq!(as_owner.to_string(), contradiction);
    let observed: Slot<Observer> = publish(active(), 5);
    let as_record = serde_json::from_value::<Slot<Recorder>>(json(&observed)).unwrap_err();
    assert_eq!(as_record.to_string(), contradiction);
}
