//! Which step comes next: mostly one that could be accepted, and often one that is wrong in one or two
//! ways, with numbers and times at the edges.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::lock::{Cell, Clock, Condition, Now};
use sharekey_model::state::{Ending, Holds, Purpose, Read};

use super::machine::{Machine, NOON, SLOTS};
use super::send;
use super::steps::Step;

pub fn step(state: &Machine) -> BoxedStrategy<Step> {
    if !state.made {
        let all = usize::from(SLOTS) + 4;
        return prop_oneof![3 => Just(all), 1 => 0..all].prop_map(|writes| Step::Make { writes }).boxed();
    }
    if state.model.erased {
        return prop_oneof![4 => boot(), 1 => challenge(state), 1 => reload(state)].boxed();
    }
    let mut choices = if state.calm {
        vec![(40, challenge(state)), (40, clock_only(state)), (10, now(state)), (1, boot()), (1, reload(state))]
    } else {
        vec![(70, challenge(state)), (30, now(state)), (10, boot()), (10, reload(state))]
    };
    if state.spins(3) && state.model.next.is_some_and(|next| next.value().is_multiple_of(7)) {
        choices.push((10, (0..3_u64).prop_map(|left| Step::Spin { left }).boxed()));
    }
    if let Some(recovery) = recovery(state) {
        choices.push((90, recovery));
    }
    let open: Vec<_> = state.model.sessions.values().map(|open| open.id).collect();
    let (newest, old): (Vec<_>, Vec<_>) = state.handles.iter().copied().partition(|(id, _)| open.contains(id));
    for (session, purpose) in newest {
        choices.push((if state.calm { 300 } else { 140 }, request(state, session, purpose)));
    }
    if let Some((session, purpose)) = old.last() {
        choices.push((10, request(state, *session, *purpose)));
    }
    proptest::strategy::Union::new_weighted(choices).boxed()
}

fn request(state: &Machine, session: u64, purpose: Purpose) -> BoxedStrategy<Step> {
    (send::sent(state, session, purpose), ending(state))
        .prop_map(move |(sent, ending)| Step::Send { session, sent, ending })
        .boxed()
}

fn challenge(state: &Machine) -> BoxedStrategy<Step> {
    let purpose = prop_oneof![2 => Just(Purpose::Install), 5 => Just(Purpose::Operate)];
    (purpose, ending(state)).prop_map(|(purpose, ending)| Step::Challenge { purpose, ending }).boxed()
}

fn ending(state: &Machine) -> BoxedStrategy<Ending> {
    prop_oneof![
        if state.calm { 200 } else { 24 } => Just(Ending::Commit),
        1 => Just(Ending::Drop),
        1 => any::<bool>().prop_map(|written| Ending::Fail { written }),
        2 => Just(Ending::Detach),
    ]
    .boxed()
}

fn boot() -> BoxedStrategy<Step> {
    let read = prop_oneof![14 => Just(Read::Newest), 1 => Just(Read::Spoilt), 1 => Just(Read::NotYet)];
    prop::collection::vec(read, 2 + usize::from(SLOTS))
        .prop_map(|reads| {
            let reads = cells().into_iter().zip(reads).filter(|(_, read)| *read != Read::Newest);
            Step::Boot { reads: reads.collect::<BTreeMap<_, _>>() }
        })
        .boxed()
}

fn cells() -> Vec<Cell> {
    [Cell::Header, Cell::Counter].into_iter().chain((0..SLOTS).map(|slot| Cell::Slot(SlotId::new(slot)))).collect()
}

fn reload(state: &Machine) -> BoxedStrategy<Step> {
    let mut every = cells();
    every.extend([Cell::Seed, Cell::Slot(SlotId::new(SLOTS))]);
    let held: Vec<_> =
        every.iter().copied().filter(|cell| state.model.condition(*cell) != Ok(Condition::Ready)).collect();
    if !held.is_empty() {
        every = held;
    }
    let read = prop_oneof![8 => Just(Read::Newest), 1 => Just(Read::Spoilt), 2 => (1..3_usize).prop_map(Read::Older)];
    (select(every), read)
        .prop_filter_map("an older copy that cannot be told", {
            let state = state.clone();
            move |(cell, read)| {
                let step = Step::Reload { cell, read };
                <Machine as proptest_state_machine::ReferenceStateMachine>::preconditions(&state, &step).then_some(step)
            }
        })
        .boxed()
}

/// What brings a held or damaged cell back.
fn recovery(state: &Machine) -> Option<BoxedStrategy<Step>> {
    let pending: Vec<_> = state.model.pending.keys().copied().collect();
    let mut choices: Vec<(u32, BoxedStrategy<Step>)> = Vec::new();
    if !pending.is_empty() {
        choices.push((6, select(pending.clone()).prop_map(|ticket| Step::Written { ticket }).boxed()));
        choices.push((1, select(pending.clone()).prop_map(|ticket| Step::Store { ticket }).boxed()));
        choices.push((1, select(pending).prop_map(|ticket| Step::Abandon { ticket }).boxed()));
    }
    let bad = |cell: &Cell| !matches!(state.model.condition(*cell), Ok(Condition::Ready | Condition::Pending));
    let bad: Vec<_> = cells().into_iter().chain([Cell::Seed]).filter(bad).collect();
    if !bad.is_empty() {
        let reload = |cell| Step::Reload { cell, read: Read::Newest };
        choices.push((4, select(bad).prop_map(reload).boxed()));
    }
    (!choices.is_empty()).then(|| proptest::strategy::Union::new_weighted(choices).boxed())
}

// --- time ---

/// Moments at which something changes.
pub fn moments(state: &Machine) -> Vec<u64> {
    let mut moments = vec![0, 1, NOON, NOON + 60, NOON + 86_400, NOON + 7 * 86_400, u64::MAX, u64::MAX - 1];
    moments.extend(state.model.counter.known.map(|counter| counter.latest.unix_seconds()));
    let now = if let Clock::At(now) = state.now.clock { now.unix_seconds() } else { NOON };
    for slot in &state.model.slots {
        let Some(Holds::Installed(key)) = slot.known.map(|slot| slot.holds) else { continue };
        moments.extend(key.limits.valid_from().map(Timestamp::unix_seconds));
        moments.extend(key.limits.valid_until().map(Timestamp::unix_seconds));
        let Some(schedule) = key.limits.schedule() else { continue };
        moments.extend(schedule.next_offset().map(|next| next.at.unix_seconds()));
        // The next edges of its window and of the day, in local time.
        let (start, end) = schedule.window();
        let offsets = [schedule.offset()].into_iter().chain(schedule.next_offset().map(|next| next.offset));
        for offset in offsets {
            let shift = i128::from(offset.minutes()) * 60;
            let midnight = (i128::from(now) + shift).div_euclid(86_400) * 86_400 - shift;
            let edges = [0, i128::from(start) * 60, i128::from(end) * 60, 86_400];
            moments.extend(edges.iter().filter_map(|edge| u64::try_from(midnight + edge).ok()));
        }
    }
    moments
}

/// A moment, or the second beside it.
pub fn moment(state: &Machine) -> BoxedStrategy<u64> {
    let beside = (select(moments(state)), -1..=1_i64).prop_map(|(at, by)| at.saturating_add_signed(by));
    let week = (0..14 * 86_400_u64).prop_map(|after| NOON + after);
    prop_oneof![7 => beside, 2 => week, 1 => any::<u64>()].boxed()
}

/// Only the clock moves.
fn clock_only(state: &Machine) -> BoxedStrategy<Step> {
    let was = state.now;
    moment(state)
        .prop_map(move |at| Step::Now(Now { clock: Clock::At(Timestamp::from_unix_seconds(at)), ..was }))
        .boxed()
}

fn now(state: &Machine) -> BoxedStrategy<Step> {
    let ticks = state.now.ticks;
    let opened: Vec<_> = state.model.sessions.values().map(|open| open.ticks).chain([ticks]).collect();
    let at_deadline = (select(opened.clone()), select(vec![10_000_u64, 120_000]), -1..=1_i64)
        .prop_map(|(opened, deadline, by)| opened.saturating_add(deadline).saturating_add_signed(by));
    let next_ticks = prop_oneof![
        5 => (0..3_000_u64).prop_map(move |by| ticks.saturating_add(by)),
        4 => at_deadline,
        1 => Just(ticks.saturating_sub(1)),
        // Back to when a session was opened: it is in time, and the ticks went backwards.
        2 => select(opened),
        1 => select(vec![0, u64::MAX - 5_000, u64::MAX]),
    ];
    let clock = prop_oneof![
        8 => moment(state).prop_map(|at| Clock::At(Timestamp::from_unix_seconds(at))),
        1 => Just(Clock::Unset),
        1 => Just(Clock::Absent),
        3 => Just(Clock::At(Timestamp::from_unix_seconds(NOON))),
    ];
    let (was, same) = (state.now, Just(ticks));
    prop_oneof![
        3 => next_ticks.prop_map(move |ticks| Step::Now(Now { ticks, ..was })),
        5 => (same, clock).prop_map(move |(ticks, clock)| Step::Now(Now { ticks, clock, ..was })),
    ]
    .boxed()
}

// --- limits ---

pub fn limits(state: &Machine) -> BoxedStrategy<Limits> {
    let at = || moment(state).prop_map(Timestamp::from_unix_seconds);
    let maybe = |some: BoxedStrategy<Timestamp>| prop_oneof![3 => Just(None), 1 => some.prop_map(Some)];
    let uses = prop_oneof![4 => Just(None), 3 => (1..4_u32).prop_map(Some), 1 => Just(Some(u32::MAX))];
    let schedule = prop_oneof![2 => Just(None), 1 => schedule(state).prop_map(Some)];
    (maybe(at().boxed()), maybe(at().boxed()), schedule, uses)
        .prop_map(|(from, until, schedule, uses)| {
            let until = until.filter(|until| from.is_none_or(|from| from < *until));
            Limits::new(from, until, schedule, uses).unwrap()
        })
        .boxed()
}

/// A schedule, and a moment at or beside one of its edges, or anywhere in time.
pub fn schedule_at() -> BoxedStrategy<(Schedule, Timestamp)> {
    let anchors = prop_oneof![(0..u64::MAX / 2), Just(NOON), Just(0), Just(u64::MAX - 200_000)];
    (anchors, schedule_around(NOON..NOON + 14 * 86_400), 0..9_u64, -61..=61_i64, any::<u64>())
        .prop_map(|(anchor, schedule, day, by, edge)| {
            let (start, end) = schedule.window();
            let offset = schedule.next_offset().map_or(schedule.offset(), |next| next.offset);
            let edges = [0, u64::from(start) * 60, u64::from(end) * 60, 43_200];
            let midnight = (anchor - anchor % 86_400).saturating_add(day * 86_400);
            let local = midnight.saturating_add(edges[usize::try_from(edge % 4).unwrap()]).saturating_add_signed(by);
            let utc = local.saturating_add_signed(-i64::from(offset.minutes()) * 60);
            let change = schedule.next_offset().map_or(utc, |next| next.at.unix_seconds().saturating_add_signed(by));
            (schedule, Timestamp::from_unix_seconds(if edge % 5 == 0 { change } else { utc }))
        })
        .boxed()
}

fn schedule_around(moments: std::ops::Range<u64>) -> BoxedStrategy<Schedule> {
    of_changes(prop_oneof![3 => moments, 1 => any::<u64>()].boxed())
}

fn schedule(state: &Machine) -> BoxedStrategy<Schedule> {
    of_changes(moment(state))
}

fn of_changes(changes: BoxedStrategy<u64>) -> BoxedStrategy<Schedule> {
    let minute = || prop_oneof![select(vec![0_u16, 1, 719, 720, 721, 1438, 1439]), 0..1440_u16];
    let offset = || {
        prop_oneof![select(vec![-720_i16, -60, 0, 60, 840]), -720..=840_i16]
            .prop_map(|minutes| UtcOffset::from_minutes(minutes).unwrap())
    };
    let change =
        (changes, offset()).prop_map(|(at, offset)| OffsetChange { at: Timestamp::from_unix_seconds(at), offset });
    let days = prop_oneof![Just(0x7f_u8), (0..7_u8).prop_map(|day| 1 << day), 1..=127_u8];
    let next = prop_oneof![Just(None), change.prop_map(Some)];
    (days, minute(), minute(), offset(), next)
        .prop_map(|(days, start, end, offset, next)| {
            let end = if end == start { 1440 } else { end.max(1) };
            let start = if end == start { 0 } else { start };
            Schedule::new(Weekdays::try_from(days).unwrap(), start, end, offset, next).unwrap()
        })
        .boxed()
}

pub fn rights() -> BoxedStrategy<Rights> {
    prop_oneof![1 => Just(Rights::OPEN), 1 => Just(Rights::LOCK), 5 => Just(Rights::OPEN_AND_LOCK)].boxed()
}

pub fn action() -> BoxedStrategy<Action> {
    prop_oneof![3 => Just(Action::Open), 1 => Just(Action::Lock)].boxed()
}
