//! One slot alone, at the service or at the owner, against the model's line and the table of transitions: any events in
//! any order.
//!
//! The input is a byte for the role, then events of eight bytes: which, generation (four), grant, device, and an
//! install or outcome.

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::SlotError;
use sharekey::message::{Holding, SlotReport, WithdrawnOutcome};
use sharekey::slot::{GrantRef, MAX_LIVE, Observer, Proof, Recorder, Slot, State, Turn, Witness};
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

/// What a step gave, and what it had to.
type Gave = (Result<(), SlotError>, Option<WithdrawnOutcome>);

fn follow<W: Witness>(
    events: impl Iterator<Item = Event>,
    step: impl Fn(&mut Slot<W>, &mut LineModel, Event) -> (Gave, Gave),
) {
    let (mut slot, mut model) = (Slot::<W>::new(EPOCH), LineModel::new(EPOCH));
    for event in events {
        let (gave, expected) = step(&mut slot, &mut model, event);
        assert_eq!(gave, expected, "{event:?}");
        compare(&slot, &model);
        slot = stored(&slot);
    }
}

/// What both roles have in common.
fn at_both<W: Witness>(slot: &mut Slot<W>, model: &mut LineModel, event: Event) -> (Gave, Gave) {
    let nothing = (Ok(()), None);
    match event.which {
        0 | 1 => {
            model.done(event.which == 0, event.key.generation);
            slot.done(event.turn(), event.key.generation);
        }
        5 => {
            model.confirm(event.key, event.device, Some(event.install()), event.proof_digest());
            slot.confirm(&event.proof());
        }
        6 => {
            model.inspected(&event.report(), event.proof_digest());
            slot.inspected(&event.report(), event.proof_digest());
        }
        9 => {
            let next = model.highest.value().checked_add(1).map(Generation::new);
            let expected = next.map(|next| model.see(next)).ok_or(SlotError::Exhausted);
            assert_eq!(slot.next_number().ok(), next);
            return ((slot.take_number().map(drop), None), (expected, None));
        }
        _ => {
            model.see(event.key.generation);
            slot.take(event.key.generation);
        }
    }
    (nothing, nothing)
}

fn at_the_service(slot: &mut Slot, model: &mut LineModel, event: Event) -> (Gave, Gave) {
    let Event { key, device, .. } = event;
    let (gave, expected) = match event.which {
        2 => (slot.publish(key), model.publish(key)),
        3 => {
            let gave = slot.release(&key.grant, device, event.install());
            (gave, model.release(&key.grant, device, event.install()))
        }
        4 => return ((Ok(()), Some(slot.withdraw(key))), (Ok(()), Some(model.withdraw(key)))),
        _ => return at_both(slot, model, event),
    };
    ((gave, None), (expected, None))
}

fn at_the_owner(slot: &mut Slot<Observer>, model: &mut LineModel, event: Event) -> (Gave, Gave) {
    let key = event.key;
    let (gave, expected) = match event.which {
        2 => {
            let expected = model.publish(key);
            if expected.is_ok() {
                // It may be released from now on, as far as this phone can tell.
                model.live.entry(key).or_default();
            }
            (slot.publish(key), expected)
        }
        7 => (slot.withdrawn(key, &event.outcome()), model.withdrawn(key, &event.outcome())),
        8 => (slot.learn(key), model.learn(key)),
        _ => return at_both(slot, model, event),
    };
    ((gave, None), (expected, None))
}

fn compare<W: Witness>(slot: &Slot<W>, model: &LineModel) {
    assert_eq!((slot.state(), slot.epoch()), (model.state(), model.epoch));
    assert_eq!((slot.highest(), slot.floor(), slot.last_told()), (model.highest, model.floor, model.last_told));
    assert_eq!(slot.shared(), model.share.map(|share| share.key));
    assert_eq!(slot.device(), model.share.and_then(|share| share.device));
    assert!(slot.may_open().len() <= MAX_LIVE + 1);
    assert_eq!(slot.may_open().len(), model.live.len());
    for (live, (key, known)) in slot.may_open().iter().zip(&model.live) {
        assert!(slot.is_live(*key), "{key:?}");
        assert_eq!(live.key().generation, key.generation, "in rising order");
        let found = slot.live(*key).unwrap();
        let confirmed = found.confirmation().map(|told| (told.device, told.proof));
        assert_eq!((found.install(), confirmed), (known.install, known.confirmed));
    }
    assert!(!slot.is_downloaded() || slot.state() == State::Shared);
}

/// The slot, stored and read back.
fn stored<W: Witness>(slot: &Slot<W>) -> Slot<W> {
    let stored = postcard::to_allocvec(slot).unwrap();
    let read: Slot<W> = postcard::from_bytes(&stored).unwrap();
    assert_eq!(read, *slot);
    read
}
