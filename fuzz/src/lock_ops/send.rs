//! What is sent in a session.

use sharekey::counter::{Generation, Term};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Rights, Timestamp};
use sharekey::message::Operation;
use sharekey_model::state::{Holds, Purpose};

use super::choose::{limits, moment};
use crate::choices::Choices;
use sharekey_refinement::lock::Machine;
use sharekey_refinement::lock::machine::SLOTS;
use sharekey_refinement::lock::send::{floor, is_open, owner};
use sharekey_refinement::lock::steps::{
    BAD, Broken, Bundle, Command, DEVICES, ELSEWHERE, Flaw, OWNERS, SERVICES, SUBJECTS, Sent, To, key,
};
use sharekey_stage::ops::{Order, With};

const FLAWS: [Flaw; 3] = [Flaw::Mismatch, Flaw::Scalar, Flaw::Commitment];

pub fn sent(choices: &mut Choices<'_>, state: &Machine, session: u64, purpose: Purpose) -> Sent {
    if purpose == Purpose::Install {
        return match choices.any::<u8>() {
            0..=247 => Sent::Bundle(bundle(choices, state, session)),
            _ => Sent::Malformed(To::Install, broken(choices)),
        };
    }
    let fresh = state.model.ownership().is_err();
    match choices.below(32) {
        0..=11 if fresh => provision(choices, session),
        0..=13 => Sent::Command(command(choices, state, session)),
        14..=25 => unlock(choices, state, session),
        26 => provision(choices, session),
        27 => reset(choices, state, session),
        28 => Sent::Malformed(choices.pick(&[To::Unlock, To::Command, To::Provision, To::Reset]), broken(choices)),
        _ => again(choices, state).unwrap_or_else(|| unlock(choices, state, session)),
    }
}

fn broken(choices: &mut Choices<'_>) -> Broken {
    choices.pick(&[Broken::Empty, Broken::Magic, Broken::Version, Broken::Kind])
}

/// Something that was sent before, to the byte.
fn again(choices: &mut Choices<'_>, state: &Machine) -> Option<Sent> {
    let operate: Vec<Sent> =
        state.sent.iter().rev().filter(|sent| sent.purpose() == Purpose::Operate).copied().collect();
    (!operate.is_empty()).then(|| choices.pick(&operate))
}

/// The session's nonce, mostly; or another that was given; or none that ever was.
fn nonce(choices: &mut Choices<'_>, state: &Machine, session: u64) -> Option<u64> {
    match choices.any::<u8>() {
        0..=239 => Some(session),
        240..=251 => state.nonces.iter().rev().nth(choices.below(4)).copied(),
        _ => None,
    }
}

// --- where the lock stands ---

/// The slots, those that are open first.
fn slots(state: &Machine) -> Vec<u8> {
    let (open, mut closed): (Vec<u8>, Vec<u8>) = (0..=SLOTS).partition(|slot| is_open(state, *slot));
    let mut slots = open;
    slots.append(&mut closed);
    slots
}

fn slot(choices: &mut Choices<'_>, state: &Machine) -> u8 {
    let slots = slots(state);
    match choices.any::<u8>() {
        0..=191 => slots[0],
        _ => choices.pick(&slots),
    }
}

/// A number near the slot's floor, or near the end of the line.
fn number(choices: &mut Choices<'_>, floor: u32) -> u32 {
    match choices.any::<u8>() {
        0..=191 => floor.saturating_add(1),
        192..=207 => floor,
        208..=219 => floor.saturating_sub(1),
        220..=239 => floor.saturating_add(choices.any::<u16>().into()),
        240..=251 => choices.pick(&[u32::MAX, u32::MAX - 1, u32::MAX - 2, 0]),
        _ => choices.any(),
    }
}

// --- a download ---

fn bundle(choices: &mut Choices<'_>, state: &Machine, session: u64) -> Bundle {
    let before: Vec<Bundle> = state
        .sent
        .iter()
        .rev()
        .filter_map(|sent| if let Sent::Bundle(sent) = sent { Some(*sent) } else { None })
        .collect();
    let mut bundle = match choices.any::<u8>() {
        192..=239 if !before.is_empty() => retry(choices, &before, session),
        240..=247 if !before.is_empty() => choices.pick(&before),
        _ => fresh_bundle(choices, state, session),
    };
    for _ in 0..usize::from(choices.any::<u8>() / 100) {
        spoil(choices, &mut bundle);
    }
    bundle
}

/// After a lost receipt; now and then by another device.
fn retry(choices: &mut Choices<'_>, before: &[Bundle], session: u64) -> Bundle {
    let bundle = choices.pick(before);
    let device = if choices.one_in(6) { choices.pick(&DEVICES) } else { bundle.device };
    Bundle { nonce: Some(session), device, by: [bundle.by[0], device, bundle.by[2]], ..bundle }
}

fn fresh_bundle(choices: &mut Choices<'_>, state: &Machine, session: u64) -> Bundle {
    let slot = slot(choices, state);
    let generation = number(choices, floor(state, slot));
    let who = (choices.pick(&SUBJECTS), choices.pick(&DEVICES));
    let rights = choices.pick(&[Rights::OPEN_AND_LOCK, Rights::OPEN_AND_LOCK, Rights::OPEN, Rights::LOCK]);
    let limits = limits(choices, state);
    let nonce = nonce(choices, state, session);
    Bundle::good(state.model.lock, owner(state), (slot, generation), who, (rights, limits), nonce)
}

/// One way in which a bundle can be wrong.
fn spoil(choices: &mut Choices<'_>, bundle: &mut Bundle) {
    let somebody = [&OWNERS[..], &SERVICES, &SUBJECTS, &DEVICES].concat();
    let part = choices.below(3);
    match choices.below(10) {
        0 => bundle.grant.lock = choices.pick(&[ELSEWHERE, 0, 1]),
        1 => {
            bundle.grant.epoch = choices.pick(&[bundle.grant.epoch.wrapping_sub(1), bundle.grant.epoch.wrapping_add(1)])
        }
        2 => bundle.grant.by = choices.pick(&somebody),
        3 => bundle.grant.flaw = choices.pick(&FLAWS),
        4 => bundle.grant.subject = BAD,
        5 => bundle.device = BAD,
        6 => bundle.names_other[part] = true,
        7 => bundle.by[part] = choices.pick(&somebody),
        8 => bundle.flaws[part] = choices.pick(&FLAWS),
        _ => bundle.contributes = false,
    }
}

// --- at the door ---

fn action(choices: &mut Choices<'_>) -> Action {
    choices.pick(&[Action::Open, Action::Open, Action::Lock])
}

fn unlock(choices: &mut Choices<'_>, state: &Machine, session: u64) -> Sent {
    let mut keys: Vec<_> = state.keys.iter().rev().take(6).copied().collect();
    // Those that are installed first.
    keys.sort_by_key(|held| {
        let known = state.model.slots.get(usize::from(held.slot)).and_then(|slot| slot.known);
        !matches!(known.map(|slot| slot.holds), Some(Holds::Installed(key)) if key.pairing == held.pairing)
    });
    let (slot, pairing) = match choices.any::<u8>() {
        0..=199 if !keys.is_empty() => (keys[0].slot, Some(keys[0].pairing)),
        200..=235 if !keys.is_empty() => {
            let held = choices.pick(&keys);
            (held.slot, Some(held.pairing))
        }
        // In another slot than its own.
        236..=247 if !keys.is_empty() => (slot(choices, state), Some(choices.pick(&keys).pairing)),
        _ => (slot(choices, state), None),
    };
    Sent::Unlock { slot, action: action(choices), nonce: nonce(choices, state, session), pairing }
}

/// An order of the stage's table, by its weight; its fields are chosen, needed or not.
fn order(choices: &mut Choices<'_>, state: &Machine) -> Operation {
    let slot = match choices.any::<u8>() {
        0..=191 => choices.pick(&slots(state)),
        _ => *slots(state).last().unwrap(),
    };
    let generation = Generation::new(number(choices, floor(state, slot)));
    let order = choices.pick(&Order::weighted());
    let (owners, services) = ([&OWNERS[..], &[BAD]].concat(), [&SERVICES[..], &[BAD]].concat());
    let (owner, service) = (key(choices.pick(&owners)), key(choices.pick(&services)));
    let (time, action) = (Timestamp::from_unix_seconds(moment(choices, state)), action(choices));
    order.with(&With { slot: SlotId::new(slot), generation, owner, service, time, action })
}

fn command(choices: &mut Choices<'_>, state: &Machine, session: u64) -> Command {
    let (epoch, owner, _) = owner(state);
    let order = order(choices, state);
    let nonce = nonce(choices, state, session);
    let mut command =
        Command { lock: state.model.lock, epoch, nonce, term: Term::OWNER, by: owner, flaw: Flaw::None, order };
    match choices.any::<u8>() {
        0..=223 => {}
        224..=229 => command.lock = choices.pick(&[ELSEWHERE, state.model.lock.saturating_sub(1)]),
        230..=237 => command.epoch = choices.pick(&[epoch.wrapping_sub(1), epoch.wrapping_add(1)]),
        238..=246 => command.by = choices.pick(&[&OWNERS[..], &SERVICES].concat()),
        247..=253 => command.flaw = choices.pick(&FLAWS),
        _ => command.term = Term::new(1),
    }
    command
}

fn provision(choices: &mut Choices<'_>, session: u64) -> Sent {
    let (mut owner, mut service, mut by_the_card, mut nonce) = (OWNERS[0], SERVICES[0], true, Some(session));
    match choices.any::<u8>() {
        0..=199 => {}
        200..=211 => owner = choices.pick(&[OWNERS[1], BAD]),
        212..=223 => service = choices.pick(&[SERVICES[1], BAD]),
        224..=239 => by_the_card = false,
        _ => nonce = None,
    }
    Sent::Provision { nonce, by_the_card, owner, service }
}

fn reset(choices: &mut Choices<'_>, state: &Machine, session: u64) -> Sent {
    let lock = if choices.one_in(8) { ELSEWHERE } else { state.model.lock };
    let by_the_card = !choices.one_in(6);
    Sent::Reset { lock, nonce: nonce(choices, state, session), by_the_card }
}
