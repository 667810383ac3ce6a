//! The slot's transition table: what it says, that the diagram says the same, and that the typed
//! transitions and the stored form keep to it.

use sharekey::counter::Epoch;
use sharekey::crypto::PublicKey;
use sharekey::error::SlotError;
use sharekey::slot::{
    AnySlot, Event, GrantRef, NotShared, Observer, Outcome, Proof, Recorder, Sharing, Slot, State, Turn, next,
};
use sharekey_stage::desk::{device, generation};
use sharekey_stage::forge::some_digest;

fn key(n: u32) -> GrantRef {
    GrantRef { generation: generation(n), grant: some_digest(u8::try_from(n).unwrap()) }
}

fn proof(n: u32) -> Proof {
    Proof { key: key(n), device: device(), install: Some(some_digest(101)), proof: some_digest(102) }
}

fn active() -> Slot<NotShared> {
    match AnySlot::new(Epoch::FIRST).done(Turn::Activate, generation(1)) {
        AnySlot::NotShared(slot) => slot,
        other => panic!("{other:?}"),
    }
}

fn sharing(n: u32) -> Slot<Sharing> {
    active().publish(key(n)).unwrap()
}

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

#[test]
fn a_share_goes_from_published_over_released_to_confirmed_and_back() {
    let sharing = sharing(2);
    assert_eq!(sharing.may_open().count(), 0);
    let shared = sharing.release(&key(2).grant, device(), some_digest(50)).unwrap();
    assert!(!shared.is_downloaded());
    assert_eq!(shared.install(), Some(some_digest(50)));
    let shared = shared.confirm(&proof(2)).unwrap();
    assert!(shared.is_downloaded());
    assert_eq!(shared.confirmation().unwrap().proof, some_digest(102));
    let not_shared = shared.reset();
    assert_eq!(not_shared.may_open().map(|live| live.key()).collect::<Vec<_>>(), [key(2)]);
}

#[test]
fn a_revoked_share_leaves_no_key() {
    assert_eq!(sharing(2).revoke().may_open().count(), 0);
}

#[test]
fn a_typed_release_of_another_grant_gives_the_slot_back() {
    let (slot, error) = sharing(2).release(&key(3).grant, device(), some_digest(50)).unwrap_err();
    assert_eq!((slot.key(), error), (key(2), SlotError::NotPublished));
    let shared = slot.release(&key(2).grant, device(), some_digest(50)).unwrap();
    let (shared, error) = shared.release(&key(3).grant, device(), some_digest(51)).unwrap_err();
    assert_eq!((shared.install(), error), (Some(some_digest(50)), SlotError::NotPublished));
}

#[test]
fn a_typed_release_goes_again_to_the_same_device_only() {
    let shared = sharing(2).release(&key(2).grant, device(), some_digest(50)).unwrap();
    let other = PublicKey::from_bytes([77; 32]);
    let (shared, error) = shared.release(&key(2).grant, other, some_digest(51)).unwrap_err();
    assert_eq!((shared.device(), error), (&device(), SlotError::ClaimedByOtherDevice));
    let shared = shared.release(&key(2).grant, device(), some_digest(52)).unwrap();
    assert_eq!(shared.install(), Some(some_digest(52)));
}

#[test]
fn a_typed_publish_is_refused_at_or_below_the_highest_number() {
    let (slot, error) = active().publish(key(1)).unwrap_err();
    assert_eq!((slot.highest(), error), (generation(1), SlotError::StaleNumber));
}

#[test]
fn a_typed_publish_is_refused_while_too_many_keys_are_live() {
    let mut slot = active();
    for n in 2..18 {
        let shared = slot.publish(key(n)).unwrap().release(&key(n).grant, device(), some_digest(50)).unwrap();
        slot = shared.reset();
    }
    let (slot, error) = slot.publish(key(18)).unwrap_err();
    assert_eq!((slot.highest(), error), (generation(18), SlotError::LiveFull));
}

#[test]
fn a_typed_confirm_takes_only_the_shared_grants_proof() {
    let (slot, error) = sharing(2).confirm(&proof(3)).unwrap_err();
    assert_eq!((slot.floor(), error), (generation(1), SlotError::NotPublished));
    let shared = slot.confirm(&proof(2)).unwrap();
    let (shared, error) = shared.confirm(&proof(3)).unwrap_err();
    assert_eq!((shared.floor(), error), (generation(2), SlotError::NotPublished));
    let (_, error) = shared.confirm(&proof(2)).unwrap_err();
    assert_eq!(error, SlotError::NotPublished);
}

// --- the stored form ----------------------------------------------------------------------------

fn json<W: sharekey::slot::Witness>(slot: &AnySlot<W>) -> serde_json::Value {
    serde_json::to_value(slot).unwrap()
}

/// Reads a stored slot back after `tamper`, and gives the complaint.
fn tampered<W: sharekey::slot::Witness>(slot: &AnySlot<W>, tamper: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut value = json(slot);
    tamper(&mut value);
    serde_json::from_value::<AnySlot<W>>(value).unwrap_err().to_string()
}

fn bytes(n: u32) -> serde_json::Value {
    serde_json::json!(n.to_le_bytes())
}

fn confirmed() -> AnySlot<Recorder> {
    let shared = sharing(5).release(&key(5).grant, device(), some_digest(50)).unwrap();
    AnySlot::Shared(shared).confirm(&proof(5))
}

#[test]
fn every_state_survives_storage() {
    let shared = sharing(2).release(&key(2).grant, device(), some_digest(50)).unwrap();
    for slot in [
        AnySlot::new(Epoch::FIRST),
        AnySlot::NotShared(active()),
        AnySlot::Sharing(sharing(2)),
        AnySlot::Shared(shared),
        confirmed(),
    ] {
        assert_eq!(serde_json::from_value::<AnySlot>(json(&slot)).unwrap(), slot);
        let compact = postcard::to_allocvec(&slot).unwrap();
        assert_eq!(postcard::from_bytes::<AnySlot>(&compact).unwrap(), slot);
    }
}

#[test]
fn a_stored_slot_that_contradicts_itself_is_refused() {
    let slot = confirmed();
    type Tamper = fn(&mut serde_json::Value);
    let cases: [(&str, Tamper); 9] = [
        ("the share's number is out of range", |v| v["line"]["last_done"] = bytes(5)),
        ("the last Done's number is above the proven floor", |v| v["line"]["last_done"] = bytes(6)),
        ("the proven floor is above the highest number seen", |v| v["line"]["highest"] = bytes(4)),
        ("the live keys are not sorted or not unique", |v| {
            let first = v["line"]["live"][0].clone();
            v["line"]["live"].as_array_mut().unwrap().push(first);
        }),
        ("a live key's number is out of range", |v| v["line"]["live"][0]["key"]["generation"] = bytes(4)),
        ("a live key's number is out of range", |v| v["line"]["live"][0]["key"]["generation"] = bytes(6)),
        ("a live key is the proven floor exactly if it is confirmed", |v| v["line"]["floor"] = bytes(4)),
        ("the share and the live keys contradict each other", |v| v["state"]["Shared"][0]["grant"][0] = 0.into()),
        ("the share's device is not the confirmed one", |v| v["state"]["Shared"][1][0] = 0.into()),
    ];
    for (complaint, tamper) in cases {
        assert_eq!(tampered(&slot, tamper), complaint);
    }
}

#[test]
fn a_stored_slot_with_too_many_live_keys_is_refused() {
    let mut slot = AnySlot::NotShared(active());
    for n in 2..18 {
        let (published, result) = slot.publish(key(n));
        result.unwrap();
        let (released, result) = published.release(&key(n).grant, device(), some_digest(50));
        result.unwrap();
        slot = released.withdraw(key(n)).0;
    }
    assert_eq!(serde_json::from_value::<AnySlot>(json(&slot)).unwrap(), slot);
    assert_eq!(
        tampered(&slot, |v| {
            let mut one_more = v["line"]["live"][15].clone();
            one_more["key"]["generation"] = bytes(18);
            v["line"]["highest"] = bytes(18);
            v["line"]["live"].as_array_mut().unwrap().push(one_more);
        }),
        "too many live keys"
    );
}

#[test]
fn a_stored_share_must_be_above_the_last_done_and_fit_its_witness() {
    let out_of_range = "the share's number is out of range";
    let slot = AnySlot::Sharing(sharing(5));
    assert_eq!(tampered(&slot, |v| v["state"]["Sharing"]["generation"] = bytes(1)), out_of_range);
    assert_eq!(tampered(&slot, |v| v["state"]["Sharing"]["generation"] = bytes(6)), out_of_range);
    assert_eq!(tampered(&slot, |v| v["line"]["floor"] = bytes(5)), out_of_range);

    // The record does not count an unreleased grant as live; the owner's view does.
    let contradiction = "the share and the live keys contradict each other";
    let as_owner = serde_json::from_value::<AnySlot<Observer>>(json(&slot)).unwrap_err();
    assert_eq!(as_owner.to_string(), contradiction);
    let active = AnySlot::<Observer>::new(Epoch::FIRST).done(Turn::Activate, generation(1));
    let (observed, result) = active.publish(key(5));
    result.unwrap();
    let as_record = serde_json::from_value::<AnySlot<Recorder>>(json(&observed)).unwrap_err();
    assert_eq!(as_record.to_string(), contradiction);
}
