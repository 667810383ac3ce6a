//! What is sent in a session.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use sharekey::counter::{Generation, Term};
use sharekey::id::SlotId;
use sharekey::limits::Timestamp;
use sharekey::message::Operation;
use sharekey_model::state::Ownership;
use sharekey_model::state::{Holds, Purpose};
use sharekey_stage::ops::{Order, With};

use super::generate::{action, limits, moment, rights};
use super::machine::{Machine, SLOTS};
use super::steps::{
    BAD, Broken, Bundle, Command, DEVICES, ELSEWHERE, Flaw, OWNERS, SERVICES, SUBJECTS, Sent, To, Who, key,
};

pub fn sent(state: &Machine, session: u64, purpose: Purpose) -> BoxedStrategy<Sent> {
    let broken = select(vec![Broken::Empty, Broken::Magic, Broken::Version, Broken::Kind]);
    match purpose {
        Purpose::Install => prop_oneof![
            40 => bundle(state, session).prop_map(Sent::Bundle),
            1 => broken.prop_map(|broken| Sent::Malformed(To::Install, broken)),
        ]
        .boxed(),
        Purpose::Operate => {
            let kinds = select(vec![To::Unlock, To::Command, To::Provision, To::Reset]);
            let fresh = state.model.ownership().is_err();
            let (unlock, provision) = (if state.keys.is_empty() { 1 } else { 24 }, if fresh { 40 } else { 2 });
            let command = if state.calm && (0..SLOTS).any(|slot| is_open(state, slot)) { 6 } else { 24 };
            prop_oneof![
                unlock => self::unlock(state, session),
                command => self::command(state, session).prop_map(Sent::Command),
                provision => self::provision(session),
                1 => reset(state, session),
                1 => (kinds, broken).prop_map(|(kind, broken)| Sent::Malformed(kind, broken)),
                2 => again(state, session),
            ]
            .boxed()
        }
    }
}

/// The session's nonce, mostly; or another that was given; or none that ever was.
fn nonce(state: &Machine, session: u64) -> BoxedStrategy<Option<u64>> {
    let others: Vec<_> = state.nonces.iter().rev().take(4).copied().chain([session]).collect();
    prop_oneof![40 => Just(Some(session)), 2 => select(others).prop_map(Some), 1 => Just(None)].boxed()
}

/// Something that was sent before, to the byte.
fn again(state: &Machine, session: u64) -> BoxedStrategy<Sent> {
    let operate: Vec<_> = state.sent.iter().filter(|sent| sent.purpose() == Purpose::Operate).copied().collect();
    if operate.is_empty() { unlock(state, session) } else { select(operate).boxed() }
}

/// Whose the lock is: the epoch, the owner and the service.
pub fn owner(state: &Machine) -> (u32, Who, Who) {
    let Ok(Ownership { epoch, owner, service, .. }) = state.model.ownership() else {
        return (1, OWNERS[0], SERVICES[0]);
    };
    let who = |all: &[Who], wanted| all.iter().copied().find(|who| key(*who) == wanted).unwrap_or(all[0]);
    (epoch.value(), who(&OWNERS, owner), who(&SERVICES, service))
}

/// The highest number that a slot has seen in this epoch.
pub fn floor(state: &Machine, slot: u8) -> u32 {
    let epoch = owner(state).0;
    let known = state.model.slots.get(usize::from(slot)).and_then(|slot| slot.known);
    known.filter(|known| known.epoch.value() == epoch).map_or(0, |known| known.floor.value())
}

/// Whether a key can be installed in a slot.
pub fn is_open(state: &Machine, slot: u8) -> bool {
    let known = state.model.slots.get(usize::from(slot)).and_then(|slot| slot.known);
    known.is_some_and(|known| known.epoch.value() == owner(state).0 && known.holds != Holds::Inactive)
}

/// A number near the slot's floor, or near the end of the line.
fn number(floor: u32) -> BoxedStrategy<u32> {
    prop_oneof![
        12 => Just(floor.saturating_add(1)),
        2 => Just(floor),
        2 => Just(floor.saturating_sub(1)),
        2 => (2..1_000_u32).prop_map(move |by| floor.saturating_add(by)),
        1 => select(vec![0, u32::MAX - 2, u32::MAX - 1, u32::MAX]),
        1 => any::<u32>(),
    ]
    .boxed()
}

fn slot(state: &Machine) -> BoxedStrategy<u8> {
    let open: Vec<_> = (0..SLOTS).filter(|slot| is_open(state, *slot)).collect();
    let any = 0..=SLOTS;
    if open.is_empty() { any.boxed() } else { prop_oneof![9 => select(open), 1 => any].boxed() }
}

fn bundle(state: &Machine, session: u64) -> BoxedStrategy<Bundle> {
    let before: Vec<_> = state
        .sent
        .iter()
        .filter_map(|sent| if let Sent::Bundle(bundle) = sent { Some(*bundle) } else { None })
        .collect();
    let fresh = fresh_bundle(state, session);
    if before.is_empty() {
        return spoilt(fresh);
    }
    // A retry after a lost receipt; now and then by another device, and now and then a replay.
    let retry = (select(before.clone()), prop_oneof![5 => Just(None), 1 => select(DEVICES.to_vec()).prop_map(Some)])
        .prop_map(move |(bundle, device)| {
            let device = device.unwrap_or(bundle.device);
            let by = [bundle.by[0], device, bundle.by[2]];
            Bundle { nonce: Some(session), device, by, ..bundle }
        });
    prop_oneof![6 => spoilt(fresh), 4 => retry, 1 => select(before)].boxed()
}

fn fresh_bundle(state: &Machine, session: u64) -> BoxedStrategy<Bundle> {
    let (owner, lock) = (owner(state), state.model.lock);
    let floors: Vec<u32> = (0..=SLOTS).map(|slot| floor(state, slot)).collect();
    let place = slot(state).prop_flat_map(move |slot| (Just(slot), number(floors[usize::from(slot)])));
    let who = (select(SUBJECTS.to_vec()), select(DEVICES.to_vec()));
    (place, who, rights(), limits(state), nonce(state, session))
        .prop_map(move |(place, who, rights, limits, nonce)| {
            Bundle::good(lock, owner, place, who, (rights, limits), nonce)
        })
        .boxed()
}

/// One way in which a bundle can be wrong.
#[derive(Clone, Copy, Debug)]
enum Spoil {
    Lock(u64),
    Epoch(i8),
    /// It says that a steward signed it.
    Term,
    Owner(Who),
    Grant(Flaw),
    Subject,
    Device,
    Names(usize),
    By(usize, Who),
    Signature(usize, Flaw),
    Agreement,
}

fn spoil() -> BoxedStrategy<Spoil> {
    let flaw = || select(vec![Flaw::Mismatch, Flaw::Scalar, Flaw::Commitment]);
    let somebody = [&OWNERS[..], &SERVICES, &SUBJECTS, &DEVICES].concat();
    prop_oneof![
        select(vec![ELSEWHERE, 0, 1]).prop_map(Spoil::Lock),
        select(vec![-1_i8, 1]).prop_map(Spoil::Epoch),
        Just(Spoil::Term),
        select(somebody.clone()).prop_map(Spoil::Owner),
        flaw().prop_map(Spoil::Grant),
        Just(Spoil::Subject),
        Just(Spoil::Device),
        (0..3_usize).prop_map(Spoil::Names),
        (0..3_usize, select(somebody)).prop_map(|(at, who)| Spoil::By(at, who)),
        (0..3_usize, flaw()).prop_map(|(at, flaw)| Spoil::Signature(at, flaw)),
        Just(Spoil::Agreement),
    ]
    .boxed()
}

fn spoilt(bundle: BoxedStrategy<Bundle>) -> BoxedStrategy<Bundle> {
    let spoils = prop_oneof![14 => Just(0), 4 => Just(1), 2 => Just(2)]
        .prop_flat_map(|ways| prop::collection::vec(spoil(), ways));
    (bundle, spoils)
        .prop_map(|(mut bundle, spoils)| {
            spoils.into_iter().for_each(|spoil| spoil.apply(&mut bundle));
            bundle
        })
        .boxed()
}

impl Spoil {
    fn apply(self, bundle: &mut Bundle) {
        match self {
            Self::Lock(lock) => bundle.grant.lock = lock,
            Self::Epoch(by) => bundle.grant.epoch = bundle.grant.epoch.wrapping_add_signed(by.into()),
            Self::Term => bundle.grant.term = Term::new(1),
            Self::Owner(who) => bundle.grant.by = who,
            Self::Grant(flaw) => bundle.grant.flaw = flaw,
            Self::Subject => bundle.grant.subject = BAD,
            Self::Device => bundle.device = BAD,
            Self::Names(at) => bundle.names_other[at] = true,
            Self::By(at, who) => bundle.by[at] = who,
            Self::Signature(at, flaw) => bundle.flaws[at] = flaw,
            Self::Agreement => bundle.contributes = false,
        }
    }
}

fn unlock(state: &Machine, session: u64) -> BoxedStrategy<Sent> {
    let keys: Vec<_> = state.keys.iter().rev().take(6).copied().collect();
    let made_up = ((0..=SLOTS), Just(None));
    let installed = |held: &super::machine::Held| {
        let known = state.model.slots.get(usize::from(held.slot)).and_then(|slot| slot.known);
        matches!(known.map(|slot| slot.holds), Some(Holds::Installed(key)) if key.pairing == held.pairing)
    };
    let now: Vec<_> = keys.iter().copied().filter(installed).collect();
    let pair = |keys: Vec<super::machine::Held>| select(keys).prop_map(|held| (held.slot, Some(held.pairing)));
    let mut choices = vec![(1, made_up.boxed())];
    if !keys.is_empty() {
        choices.push((3, pair(keys.clone()).boxed()));
        // In another slot than its own.
        choices.push((1, (0..=SLOTS, select(keys)).prop_map(|(slot, held)| (slot, Some(held.pairing))).boxed()));
    }
    if !now.is_empty() {
        choices.push((20, pair(now).boxed()));
    }
    let by = Union::new_weighted(choices);
    (by, action(), nonce(state, session))
        .prop_map(|((slot, pairing), action, nonce)| Sent::Unlock { slot, action, nonce, pairing })
        .boxed()
}

/// An order of the stage's table, by its weight; its fields are drawn, needed or not.
fn order(state: &Machine) -> BoxedStrategy<Operation> {
    let floors: Vec<u32> = (0..=SLOTS).map(|slot| floor(state, slot)).collect();
    let place = (0..=SLOTS).prop_flat_map(move |slot| (Just(slot), number(floors[usize::from(slot)])));
    let closed = (0..SLOTS).all(|slot| !is_open(state, slot));
    let weighted = Order::ALL.map(|order| {
        // Before anything else a slot has to be open.
        let often = if closed && order == Order::Activate { 5 } else { 1 };
        (often * order.row().weight, Just(order))
    });
    let (owners, services) = ([&OWNERS[..], &[BAD]].concat(), [&SERVICES[..], &[BAD]].concat());
    let orders = Union::new_weighted(weighted.into());
    (orders, place, select(owners), select(services), moment(state), action())
        .prop_map(|(order, (slot, generation), owner, service, time, action)| {
            let (slot, generation) = (SlotId::new(slot), Generation::new(generation));
            let time = Timestamp::from_unix_seconds(time);
            order.with(&With { slot, generation, owner: key(owner), service: key(service), time, action })
        })
        .boxed()
}

fn command(state: &Machine, session: u64) -> BoxedStrategy<Command> {
    let (epoch, owner, _) = owner(state);
    let lock = state.model.lock;
    let lock = prop_oneof![30 => Just(lock), 1 => Just(ELSEWHERE), 1 => Just(lock.saturating_sub(1))];
    let epoch = prop_oneof![30 => Just(epoch), 1 => Just(epoch.wrapping_sub(1)), 1 => Just(epoch.wrapping_add(1))];
    let by = prop_oneof![20 => Just(owner), 1 => select([&OWNERS[..], &SERVICES].concat())];
    let flaw = prop_oneof![20 => Just(Flaw::None), 1 => select(vec![Flaw::Mismatch, Flaw::Scalar, Flaw::Commitment])];
    let term = prop_oneof![30 => Just(Term::OWNER), 1 => Just(Term::new(1))];
    (lock, epoch, nonce(state, session), term, by, flaw, order(state))
        .prop_map(|(lock, epoch, nonce, term, by, flaw, order)| Command { lock, epoch, nonce, term, by, flaw, order })
        .boxed()
}

fn provision(session: u64) -> BoxedStrategy<Sent> {
    let owner = prop_oneof![8 => Just(OWNERS[0]), 1 => Just(OWNERS[1]), 1 => Just(BAD)];
    let service = prop_oneof![8 => Just(SERVICES[0]), 1 => Just(SERVICES[1]), 1 => Just(BAD)];
    let nonce = prop_oneof![9 => Just(Some(session)), 1 => Just(None)];
    (nonce, prop::bool::weighted(0.9), owner, service)
        .prop_map(|(nonce, by_the_card, owner, service)| Sent::Provision { nonce, by_the_card, owner, service })
        .boxed()
}

fn reset(state: &Machine, session: u64) -> BoxedStrategy<Sent> {
    let lock = prop_oneof![9 => Just(state.model.lock), 1 => Just(ELSEWHERE)];
    (lock, nonce(state, session), prop::bool::weighted(0.8))
        .prop_map(|(lock, nonce, by_the_card)| Sent::Reset { lock, nonce, by_the_card })
        .boxed()
}
