//! One slot alone, at the service or at the owner, against the model's line: any events in any order, by the machine
//! whose state is known at run time, and by the typed transitions where one fits.
//!
//! The input is a byte for the role, then events of eight bytes: which, generation (four), grant, device, and an
//! install or outcome.

mod typed;

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::SlotError;
use sharekey::message::{Holding, SlotReport, WithdrawnOutcome};
use sharekey::slot::{AnySlot, GrantRef, MAX_LIVE, Observer, Proof, Recorder, Turn, Witness};
use sharekey_model::state::LineModel;
use sharekey_stage::forge::some_digest;

const EPOCH: Epoch = Epoch::new(5);

/// An event is eight bytes.
#[derive(Clone, Copy, Debug)]
struct Event {
    which: u8,
    key: GrantRef,
    device: PublicKey,
    last: u8,
}

impl Event {
    fn read([which, a, b, c, d, grant, device, last]: [u8; 8]) -> Self {
        let generation = Generation::new(u32::from_le_bytes([a, b, c, d]));
        let key = GrantRef { generation, grant: some_digest(grant) };
        Self { which, key, device: PublicKey::from_bytes([device; 32]), last }
    }

    fn turn(self) -> Turn {
        if self.which == 0 { Turn::Activate } else { Turn::Deactivate }
    }

    fn install(self) -> Digest {
        Digest::from_bytes([self.last, 1].repeat(16).try_into().unwrap())
    }

    /// Each proof is another message.
    fn proof(self) -> Proof {
        let install = (self.which == 5).then(|| self.install());
        Proof { key: self.key, device: self.device, install, proof: self.proof_digest() }
    }

    fn proof_digest(self) -> Digest {
        Digest::from_bytes([self.last, 2].repeat(16).try_into().unwrap())
    }

    /// What an Inspect found.
    fn report(self) -> SlotReport {
        let holding = match self.last % 3 {
            0 => Holding::Empty,
            1 => Holding::Installed { grant: self.key.grant, device: self.device },
            _ => Holding::Inactive,
        };
        SlotReport { floor: self.key.generation, holding }
    }

    fn outcome(self) -> WithdrawnOutcome {
        match self.last % 3 {
            0 => WithdrawnOutcome::NeverReleased,
            1 => WithdrawnOutcome::Released { install: self.install() },
            _ => WithdrawnOutcome::Settled,
        }
    }
}

pub fn run(data: &[u8]) {
    let Some((role, events)) = data.split_first() else { return };
    let (events, _) = events.as_chunks();
    let events = events.iter().take(64).map(|event| Event::read(*event));
    if role % 2 == 0 {
        follow::<Recorder>(events, at_the_service);
    } else {
        follow::<Observer>(events, at_the_owner);
    }
}

/// What comes of a step that both machines take.
type Gave = (Result<(), SlotError>, Option<WithdrawnOutcome>);
type Stepped<W> = (AnySlot<W>, Gave, Gave);

fn follow<W: Witness>(
    events: impl Iterator<Item = Event>,
    step: impl Fn(AnySlot<W>, &mut LineModel, Event) -> Stepped<W>,
) {
    let (mut slot, mut model) = (AnySlot::<W>::new(EPOCH), LineModel::new(EPOCH));
    for event in events {
        let (next, gave, expected) = step(slot, &mut model, event);
        assert_eq!(gave, expected, "{event:?}");
        compare(&next, &model);
        slot = stored(&next);
    }
}

/// What both roles have in common.
fn at_both<W: Witness>(mut slot: AnySlot<W>, model: &mut LineModel, event: Event) -> Stepped<W> {
    let nothing = (Ok(()), None);
    match event.which {
        0 | 1 => {
            model.done(event.which == 0, event.key.generation);
            (slot.done(event.turn(), event.key.generation), nothing, nothing)
        }
        5 => {
            model.confirm(event.key, event.device, Some(event.install()), event.proof_digest());
            typed::confirm(&slot, &event.proof());
            (slot.confirm(&event.proof()), nothing, nothing)
        }
        6 => {
            model.inspected(&event.report(), event.proof_digest());
            (slot.inspected(&event.report(), event.proof_digest()), nothing, nothing)
        }
        9 => {
            let next = model.highest.value().checked_add(1).map(Generation::new);
            let expected = next.map(|next| model.see(next)).ok_or(SlotError::Exhausted);
            assert_eq!(slot.next_number().ok(), next);
            let gave = slot.take_number().map(drop);
            (slot, (gave, None), (expected, None))
        }
        _ => {
            model.see(event.key.generation);
            slot.take(event.key.generation);
            (slot, nothing, nothing)
        }
    }
}

fn at_the_service(slot: AnySlot, model: &mut LineModel, event: Event) -> Stepped<Recorder> {
    let Event { key, device, .. } = event;
    match event.which {
        2 => {
            let expected = model.publish(key);
            typed::publish(&slot, key);
            let (slot, gave) = slot.publish(key);
            (slot, (gave, None), (expected, None))
        }
        3 => {
            let expected = model.release(&key.grant, device, event.install());
            typed::release(&slot, &key.grant, device, event.install());
            let (slot, gave) = slot.release(&key.grant, device, event.install());
            (slot, (gave, None), (expected, None))
        }
        4 => {
            let expected = model.withdraw(key);
            typed::withdraw(&slot, key);
            let (slot, outcome) = slot.withdraw(key);
            (slot, (Ok(()), Some(outcome)), (Ok(()), Some(expected)))
        }
        _ => at_both(slot, model, event),
    }
}

fn at_the_owner(slot: AnySlot<Observer>, model: &mut LineModel, event: Event) -> Stepped<Observer> {
    let key = event.key;
    let (slot, gave, expected) = match event.which {
        2 => {
            let expected = model.publish(key);
            if expected.is_ok() {
                // It may be released from now on, as far as this phone can tell.
                model.live.entry(key).or_default();
            }
            typed::publish(&slot, key);
            let (slot, gave) = slot.publish(key);
            (slot, gave, expected)
        }
        7 => {
            let expected = model.withdrawn(key, &event.outcome());
            let (slot, gave) = slot.withdrawn(key, &event.outcome());
            (slot, gave, expected)
        }
        8 => {
            let expected = model.learn(key);
            let (slot, gave) = slot.learn(key);
            (slot, gave, expected)
        }
        _ => return at_both(slot, model, event),
    };
    (slot, (gave, None), (expected, None))
}

fn compare<W: Witness>(slot: &AnySlot<W>, model: &LineModel) {
    assert_eq!((slot.state(), slot.epoch()), (model.state(), model.epoch));
    assert_eq!((slot.highest(), slot.floor(), slot.last_done()), (model.highest, model.floor, model.last_done));
    assert_eq!(slot.shared(), model.share.map(|share| share.key));
    assert_eq!(slot.device(), model.share.and_then(|share| share.device));
    assert!(slot.may_open().len() <= MAX_LIVE + 1);
    assert_eq!(slot.may_open().len(), model.live.len());
    for (live, (key, known)) in slot.may_open().iter().zip(&model.live) {
        assert!(slot.is_live(*key), "{key:?}");
        assert_eq!(live.key().generation, key.generation, "in rising order");
        let found = slot.may_open().iter().find(|live| live.key() == *key).unwrap();
        let confirmed = found.confirmation().map(|told| (told.device, told.proof));
        assert_eq!((found.install(), confirmed), (known.install, known.confirmed));
    }
    typed::views(slot);
}

/// The slot, stored and read back.
fn stored<W: Witness>(slot: &AnySlot<W>) -> AnySlot<W> {
    let stored = postcard::to_allocvec(slot).unwrap();
    let read: AnySlot<W> = postcard::from_bytes(&stored).unwrap();
    assert_eq!(read, *slot);
    read
}
