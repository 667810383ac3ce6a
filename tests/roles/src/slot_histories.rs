//! Long random histories of one slot, held against a model that knows the whole truth.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sharekey::counter::Epoch;
use sharekey::message::{Holding, SlotReport, WithdrawnOutcome};
use sharekey::slot::{GrantRef, Observer, Proof, Recorder, Slot, State, Turn};
use sharekey_stage::desk::{device, generation};
use sharekey_stage::forge::some_digest;

#[derive(Clone, Copy, Debug)]
enum Step {
    Publish(u32),
    Release(u32),
    Withdraw(u32),
    Receipt(u32),
    Done(bool, u32),
    Vacant(bool, u32),
    Holding(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let number = 1..24_u32;
    prop_oneof![
        3 => number.clone().prop_map(Step::Publish),
        4 => number.clone().prop_map(Step::Release),
        2 => number.clone().prop_map(Step::Withdraw),
        1 => number.clone().prop_map(Step::Receipt),
        2 => (any::<bool>(), number.clone()).prop_map(|(on, n)| Step::Done(on, n)),
        1 => (any::<bool>(), number.clone()).prop_map(|(open, n)| Step::Vacant(open, n)),
        1 => number.prop_map(Step::Holding),
    ]
}

fn key(n: u32) -> GrantRef {
    GrantRef { generation: generation(n), grant: some_digest(u8::try_from(n).unwrap()) }
}

fn vacant(n: u32, open: bool) -> SlotReport {
    SlotReport { floor: generation(n), holding: if open { Holding::Empty } else { Holding::Inactive } }
}

fn proof(n: u32) -> Proof {
    Proof { key: key(n), device: device(), install: None, proof: some_digest(201) }
}

/// What really happened, whatever the slot makes of it.
#[derive(Default)]
struct Truth {
    released: BTreeSet<u32>,
    confirmed: BTreeSet<u32>,
    denied: BTreeSet<u32>,
    /// Everything at or below is dead …
    dead: u32,
    /// … and this is the highest floor that was told of, and whether the slot was open then.
    told: Option<(u32, bool)>,
    published: BTreeMap<u32, u32>,
}

impl Truth {
    /// The lock proved `n` installed, unless it had proved something at or above it before.
    fn installed(&mut self, n: u32, floor: u32) {
        if n > floor {
            self.confirmed.insert(n);
            self.dead = self.dead.max(n - 1);
            self.tell(n, true);
        }
    }

    fn vacant(&mut self, n: u32, open: bool) {
        self.dead = self.dead.max(n);
        self.tell(n, open);
    }

    fn tell(&mut self, n: u32, open: bool) {
        if self.told.is_none_or(|(told, _)| n > told) {
            self.told = Some((n, open));
        }
    }

    fn may_open(&self, n: u32) -> bool {
        n > self.dead && (self.released.contains(&n) || self.confirmed.contains(&n))
    }
}

fn run(slot: &mut Slot, truth: &mut Truth, step: Step) {
    let floor = slot.floor().value();
    match step {
        Step::Publish(n) => {
            if slot.publish(key(n)).is_ok() {
                *truth.published.entry(n).or_default() += 1;
            }
        }
        Step::Release(n) => {
            if slot.release(&key(n).grant, device(), some_digest(100)).is_ok() {
                truth.released.insert(n);
            }
        }
        Step::Withdraw(n) => match slot.withdraw(key(n)) {
            WithdrawnOutcome::NeverReleased => {
                assert!(!truth.released.contains(&n), "{n} was released, and denied");
                truth.denied.insert(n);
            }
            WithdrawnOutcome::Released { .. } => assert!(truth.may_open(n), "{n} cannot open"),
            WithdrawnOutcome::Settled => assert!(!truth.may_open(n), "{n} may open, and is called settled"),
        },
        Step::Receipt(n) => {
            truth.installed(n, floor);
            slot.confirm(&proof(n));
        }
        Step::Holding(n) => {
            truth.installed(n, floor);
            let holding = Holding::Installed { grant: key(n).grant, device: device() };
            slot.inspected(&SlotReport { floor: generation(n), holding }, some_digest(202));
        }
        Step::Vacant(open, n) => {
            truth.vacant(n, open);
            slot.inspected(&vacant(n, open), some_digest(202));
        }
        Step::Done(on, n) => {
            truth.vacant(n, on);
            slot.done(if on { Turn::Activate } else { Turn::Deactivate }, generation(n));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    //= spec/protocol.md#withdrawal
    //# SLO-22. A grant that was withdrawn MUST NOT be released afterwards.
    #[test]
    fn the_record_hides_no_key_and_never_releases_what_it_denied(steps in prop::collection::vec(step(), 1..60)) {
        let mut truth = Truth::default();
        let mut slot = Slot::<Recorder>::new(Epoch::FIRST);
        for step in steps {
            let before = slot.clone();
            run(&mut slot, &mut truth, step);

            let live: BTreeSet<u32> = slot.may_open().iter().map(|live| live.key().generation.value()).collect();
            let expected: BTreeSet<u32> = (1..24).filter(|n| truth.may_open(*n)).collect();
            prop_assert_eq!(live, expected, "after {:?}", step);
            prop_assert!(truth.denied.is_disjoint(&truth.released));
            prop_assert!(truth.published.values().all(|times| *times == 1));
            prop_assert!(slot.highest() >= before.highest());
            prop_assert!(slot.floor() >= before.floor());
            //= spec/protocol.md#done-and-receipt
            //# SLO-47. A receipt above the last told MUST make the slot active.
            let active = truth.told.is_some_and(|(_, open)| open);
            prop_assert_eq!(slot.state() != State::Inactive, active);
            let stored = postcard::to_allocvec(&slot).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Slot>(&stored).unwrap(), slot.clone());
        }
    }

    //= spec/protocol.md#states
    //# SLO-4. A view MUST show every live generation, whatever the state.
    #[test]
    fn the_owners_view_hides_no_key_that_the_record_released(steps in prop::collection::vec(step(), 1..60)) {
        let mut truth = Truth::default();
        let mut record = Slot::<Recorder>::new(Epoch::FIRST);
        let mut view = Slot::<Observer>::new(Epoch::FIRST);
        for step in steps {
            run(&mut record, &mut truth, step);
            match step {
                // Every grant that the record may see was signed by some phone of the owner. A view that is full
                // says so.
                Step::Publish(n) => drop(view.learn(key(n))),
                Step::Release(_) => {}
                Step::Withdraw(n) => drop(view.withdrawn(key(n), &record.clone().withdraw(key(n)))),
                Step::Receipt(n) => view.confirm(&proof(n)),
                Step::Holding(n) => {
                    let holding = Holding::Installed { grant: key(n).grant, device: device() };
                    view.inspected(&SlotReport { floor: generation(n), holding }, some_digest(202));
                }
                Step::Vacant(open, n) => view.inspected(&vacant(n, open), some_digest(202)),
                Step::Done(on, n) => view.done(if on { Turn::Activate } else { Turn::Deactivate }, generation(n)),
            }
            for live in record.may_open() {
                let seen = view.may_open().iter().any(|seen| seen.key() == live.key());
                prop_assert!(seen || view.may_open().len() >= 16, "{:?} is hidden after {:?}", live.key(), step);
            }
            prop_assert_eq!(view.floor(), record.floor());
            prop_assert_eq!(view.state() == State::Inactive, record.state() == State::Inactive);
            let stored = postcard::to_allocvec(&view).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Slot<Observer>>(&stored).unwrap(), view.clone());
        }
    }
}
