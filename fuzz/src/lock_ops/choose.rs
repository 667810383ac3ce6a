//! Which step comes next, out of the fuzzer's bytes: mostly one that could be accepted.

use std::collections::BTreeMap;

use sharekey::id::SlotId;
use sharekey::limits::{Limits, OffsetChange, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::lock::{Cell, Clock, Condition, Now};
use sharekey_model::state::{Ending, Holds, Purpose, Read};

use super::send;
use crate::choices::Choices;
use sharekey_refinement::lock::Machine;
use sharekey_refinement::lock::machine::{NOON, SLOTS};
use sharekey_refinement::lock::steps::Step;

pub fn step(choices: &mut Choices<'_>, state: &Machine) -> Step {
    if !state.made {
        let all = usize::from(SLOTS) + 4;
        return Step::Make { writes: if choices.one_in(4) { choices.below(all) } else { all } };
    }
    match choices.below(32) {
        0..=13 => in_session(choices, state, true),
        14..=19 => challenge(choices),
        20..=22 => Step::Now(now(choices, state)),
        23..=25 => recovery(choices, state),
        26 => boot(choices),
        27 => reload(choices, cells()),
        28..=30 => in_session(choices, state, false),
        // Rarely: it takes as long as a thousand other steps.
        _ if choices.one_in(64) && state.spins(3) => Step::Spin { left: choices.below(3).try_into().unwrap() },
        _ => challenge(choices),
    }
}

/// Something is sent in the newest session, or in any that was given.
fn in_session(choices: &mut Choices<'_>, state: &Machine, newest: bool) -> Step {
    let open: Vec<u64> = state.model.sessions.values().map(|open| open.id).collect();
    let is_wanted = |(id, _): &&(u64, Purpose)| !newest || open.contains(id);
    let handles: Vec<(u64, Purpose)> = state.handles.iter().rev().filter(is_wanted).copied().collect();
    if handles.is_empty() {
        return challenge(choices);
    }
    let (session, purpose) = choices.pick(&handles);
    let sent = send::sent(choices, state, session, purpose);
    Step::Send { session, sent, ending: ending(choices) }
}

fn challenge(choices: &mut Choices<'_>) -> Step {
    let purpose = choices.pick(&[Purpose::Operate, Purpose::Operate, Purpose::Install]);
    Step::Challenge { purpose, ending: ending(choices) }
}

fn ending(choices: &mut Choices<'_>) -> Ending {
    match choices.any::<u8>() {
        0..=239 => Ending::Commit,
        240..=243 => Ending::Drop,
        244..=247 => Ending::Fail { written: choices.any() },
        _ => Ending::Detach,
    }
}

// --- what goes wrong, and what mends it ---

fn cells() -> Vec<Cell> {
    let slots = (0..=SLOTS).map(|slot| Cell::Slot(SlotId::new(slot)));
    [Cell::Header, Cell::Counter, Cell::Seed].into_iter().chain(slots).collect()
}

fn boot(choices: &mut Choices<'_>) -> Step {
    let mut reads = BTreeMap::new();
    for cell in cells() {
        let read = match choices.any::<u8>() {
            0..=229 => continue,
            230..=242 => Read::Spoilt,
            _ => Read::NotYet,
        };
        if !matches!(cell, Cell::Seed) && cell != Cell::Slot(SlotId::new(SLOTS)) {
            reads.insert(cell, read);
        }
    }
    Step::Boot { reads }
}

fn reload(choices: &mut Choices<'_>, cells: Vec<Cell>) -> Step {
    let read = match choices.below(6) {
        0..=3 => Read::Newest,
        4 => Read::Spoilt,
        _ => Read::Older(1 + choices.below(2)),
    };
    Step::Reload { cell: choices.pick(&cells), read }
}

fn recovery(choices: &mut Choices<'_>, state: &Machine) -> Step {
    let pending: Vec<u64> = state.model.pending.keys().copied().collect();
    let bad = |cell: &Cell| !matches!(state.model.condition(*cell), Ok(Condition::Ready | Condition::Pending));
    let bad: Vec<Cell> = cells().into_iter().filter(bad).collect();
    if !pending.is_empty() && (bad.is_empty() || choices.any()) {
        let ticket = choices.pick(&pending);
        return match choices.below(4) {
            0 | 1 => Step::Written { ticket },
            2 => Step::Store { ticket },
            _ => Step::Abandon { ticket },
        };
    }
    if bad.is_empty() {
        return in_session(choices, state, true);
    }
    reload(choices, bad)
}

// --- time ---

/// Moments at which something changes. Not the refinement's, which move with the clock: an input picks one by its place.
fn moments(state: &Machine) -> Vec<u64> {
    let mut moments = vec![NOON, 0, NOON + 60, NOON + 86_400, NOON + 7 * 86_400, u64::MAX];
    moments.extend(state.model.counter.known.map(|counter| counter.latest.unix_seconds()));
    for slot in &state.model.slots {
        let Some(Holds::Installed(key)) = slot.known.map(|slot| slot.holds) else { continue };
        moments.extend(key.limits.valid_from().map(Timestamp::unix_seconds));
        moments.extend(key.limits.valid_until().map(Timestamp::unix_seconds));
        let Some(schedule) = key.limits.schedule() else { continue };
        moments.extend(schedule.next_offset().map(|next| next.at.unix_seconds()));
        let (start, end) = schedule.window();
        let local = |minute: u16| NOON - 43_200 + u64::from(minute) * 60;
        let utc = |local: u64| local.saturating_add_signed(i64::from(schedule.offset().minutes()) * -60);
        moments.extend([utc(local(start)), utc(local(end))]);
    }
    moments
}

pub fn moment(choices: &mut Choices<'_>, state: &Machine) -> u64 {
    match choices.any::<u8>() {
        0..=199 => {
            let moment = choices.pick(&moments(state));
            choices.beside(moment)
        }
        200..=247 => NOON + u64::from(choices.any::<u16>()) * 20,
        _ => choices.any(),
    }
}

fn now(choices: &mut Choices<'_>, state: &Machine) -> Now {
    let was = state.now;
    if choices.any() {
        return Now { ticks: ticks(choices, state), ..was };
    }
    let clock = match choices.any::<u8>() {
        0..=223 => Clock::At(Timestamp::from_unix_seconds(moment(choices, state))),
        224..=239 => Clock::Unset,
        _ => Clock::Absent,
    };
    Now { clock, ..was }
}

fn ticks(choices: &mut Choices<'_>, state: &Machine) -> u64 {
    let was = state.now.ticks;
    let opened: Vec<u64> = state.model.sessions.values().map(|open| open.ticks).chain([was]).collect();
    match choices.below(8) {
        0..=3 => was.saturating_add(choices.any::<u16>().into()),
        4 | 5 => {
            let deadline = choices.pick(&opened).saturating_add(choices.pick(&[10_000, 120_000]));
            choices.beside(deadline)
        }
        6 => choices.pick(&opened).saturating_sub(u64::from(choices.any::<bool>())),
        _ => choices.pick(&[u64::MAX, u64::MAX - 5_000, 0]),
    }
}

// --- limits ---

pub fn limits(choices: &mut Choices<'_>, state: &Machine) -> Limits {
    if choices.below(3) == 0 {
        return Limits::NONE;
    }
    let from = choices.one_in(3).then(|| moment(choices, state));
    let until = choices.one_in(3).then(|| moment(choices, state)).filter(|until| from.is_none_or(|from| from < *until));
    let at = Timestamp::from_unix_seconds;
    let schedule = choices.one_in(3).then(|| schedule(choices, state));
    let uses = match choices.below(4) {
        0 => None,
        1 => Some(u32::MAX),
        _ => Some(1 + u32::from(choices.any::<u8>() % 3)),
    };
    Limits::new(from.map(at), until.map(at), schedule, uses).unwrap()
}

fn schedule(choices: &mut Choices<'_>, state: &Machine) -> Schedule {
    let days = Weekdays::try_from(choices.any::<u8>() % 127 + 1).unwrap();
    let (start, end) = (choices.any::<u16>() % 1440, choices.any::<u16>() % 1440 + 1);
    let (start, end) = if start == end { (0, 1440) } else { (start, end) };
    let offset = offset(choices);
    let next = choices.one_in(3).then(|| {
        let at = Timestamp::from_unix_seconds(moment(choices, state));
        OffsetChange { at, offset: self::offset(choices) }
    });
    Schedule::new(days, start, end, offset, next).unwrap()
}

fn offset(choices: &mut Choices<'_>) -> UtcOffset {
    let minutes = choices.pick(&[0, 60, -60, -720, 840]) + i16::from(choices.any::<u8>() / 64);
    UtcOffset::from_minutes(minutes.min(840)).unwrap()
}
