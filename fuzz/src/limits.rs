//! Limits and schedules, against an obvious reading of their bytes and of the calendar.
//!
//! The input is a moment, eight bytes, and the limits as a grant carries them.

use sharekey::error::LimitsError;
use sharekey::limits::{Action, Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::lock::Clock;
use sharekey_model::state::limits::{check_time, schedule_allows};

use crate::choices::Choices;

/// The last second that `time` knows, less two days.
const LAST: u64 = 253_402_300_799 - 172_800;

pub fn run(data: &[u8]) {
    let Some((moment, encoded)) = data.split_first_chunk() else { return };
    let moment = u64::from_le_bytes(*moment);
    let read = postcard::take_from_bytes::<Limits>(encoded);
    let expected = slow(&mut &*encoded);
    match (&read, expected) {
        (Ok((limits, rest)), Some(expected)) => {
            let (taken, _) = encoded.split_at(encoded.len() - rest.len());
            assert_eq!(postcard::to_allocvec(limits).unwrap(), taken, "one meaning, two encodings");
            assert_eq!(*limits, expected.built());
            judge(limits, moment);
        }
        (Err(_), None) => {}
        (read, expected) => panic!("{read:?}, and should be {expected:?}"),
    }
    built(data);
}

fn judge(limits: &Limits, moment: u64) {
    assert_eq!(limits.need_clock(), check_time(limits, Clock::Absent).is_err());
    let Some(schedule) = limits.schedule() else { return };
    let (start, end) = schedule.window();
    let mut moments = vec![moment];
    if let Some(change) = schedule.next_offset() {
        moments.push(change.at.unix_seconds());
    }
    // Around the edges of the local day that the moment is in.
    let midnight = moment / 86_400 * 86_400;
    for edge in [0, start, end] {
        for offset in [schedule.offset()].into_iter().chain(schedule.next_offset().map(|next| next.offset)) {
            let local = midnight.saturating_add(u64::from(edge) * 60);
            moments.push(local.saturating_add_signed(i64::from(offset.minutes()) * -60));
        }
    }
    for moment in moments.iter().flat_map(|moment| [moment.saturating_sub(1), *moment, moment.saturating_add(1)]) {
        let at = Timestamp::from_unix_seconds(moment);
        let allowed = schedule.allows(at);
        assert_eq!(allowed, schedule_allows(schedule, at), "{schedule:?} at {moment}");
        if moment < LAST {
            assert_eq!(allowed, sharekey_stage::calendar::allows(schedule, moment), "{schedule:?} at {moment}");
        }
    }
}

// --- the slow reader ---

/// The fields as they stand in the bytes.
#[derive(Debug)]
pub struct Fields {
    from: Option<u64>,
    until: Option<u64>,
    schedule: Option<Times>,
    uses: Option<u32>,
}

#[derive(Debug)]
struct Times {
    days: u8,
    window: (u16, u16),
    offset: i16,
    next: Option<(u64, i16)>,
}

pub fn slow(bytes: &mut &[u8]) -> Option<Fields> {
    let from = optional(bytes, |bytes| number(bytes).map(u64::from_le_bytes))?;
    let until = optional(bytes, |bytes| number(bytes).map(u64::from_le_bytes))?;
    let schedule = optional(bytes, times)?;
    let uses = optional(bytes, |bytes| number(bytes).map(u32::from_le_bytes))?;
    let period = from.zip(until).is_none_or(|(from, until)| from < until);
    (period && uses != Some(0)).then_some(Fields { from, until, schedule, uses })
}

fn times(bytes: &mut &[u8]) -> Option<Times> {
    let [days] = number(bytes)?;
    let window = (u16::from_le_bytes(number(bytes)?), u16::from_le_bytes(number(bytes)?));
    let offset = |bytes: &mut &[u8]| number(bytes).map(i16::from_le_bytes);
    let in_range = |minutes: i16| (-720..=840).contains(&minutes);
    let standard = offset(bytes)?;
    let next = optional(bytes, |bytes| Some((u64::from_le_bytes(number(bytes)?), offset(bytes)?)))?;
    let good = (1..=127).contains(&days)
        && window.0 < 1440
        && (1..=1440).contains(&window.1)
        && window.0 != window.1
        && in_range(standard)
        && next.is_none_or(|(_, offset)| in_range(offset));
    good.then_some(Times { days, window, offset: standard, next })
}

fn number<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

/// Nothing where it cannot be read, and nothing in it where it is absent.
#[allow(clippy::option_option, reason = "absent is not unreadable")]
fn optional<T>(bytes: &mut &[u8], read: impl Fn(&mut &[u8]) -> Option<T>) -> Option<Option<T>> {
    match number(bytes)? {
        [0] => Some(None),
        [1] => read(bytes).map(Some),
        _ => None,
    }
}

impl Fields {
    fn built(&self) -> Limits {
        let at = Timestamp::from_unix_seconds;
        let schedule = self.schedule.as_ref().map(Times::built);
        let limits = Limits::new(self.from.map(at), self.until.map(at), schedule, self.uses).unwrap();
        assert_eq!(
            (limits.valid_from(), limits.valid_until(), limits.max_uses()),
            (self.from.map(at), self.until.map(at), self.uses)
        );
        limits
    }
}

impl Times {
    fn built(&self) -> Schedule {
        let offset = |minutes| UtcOffset::from_minutes(minutes).unwrap();
        let next = self
            .next
            .map(|(at, minutes)| OffsetChange { at: Timestamp::from_unix_seconds(at), offset: offset(minutes) });
        let days = Weekdays::try_from(self.days).unwrap();
        let schedule = Schedule::new(days, self.window.0, self.window.1, offset(self.offset), next).unwrap();
        let read = (schedule.days(), schedule.window(), schedule.offset(), schedule.next_offset());
        assert_eq!(read, (days, self.window, offset(self.offset), next));
        (0..7).for_each(|day| assert_eq!(days.contains(day), self.days >> day & 1 == 1));
        schedule
    }
}

/// Numbers of any size: what means nothing is not built.
fn built(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (from, until): (Option<u64>, Option<u64>) = (choices.any(), choices.any());
    let (days, start, end, minutes, uses) = choices.any::<(u8, u16, u16, i16, Option<u32>)>();
    let byte: u8 = choices.any();
    let offset = UtcOffset::from_minutes(minutes);
    assert_eq!(offset.is_ok(), (-720..=840).contains(&minutes));
    let set = Weekdays::try_from(days);
    assert_eq!(set.is_ok(), (1..=127).contains(&days));
    if let Ok(set) = set {
        let joined = set.or(Weekdays::MON_TO_FRI);
        (0..=u8::MAX).for_each(|day| assert_eq!(joined.contains(day), set.contains(day) || day < 5));
    }
    let schedule = Schedule::new(Weekdays::ALL, start, end, UtcOffset::UTC, None);
    let good = start < 1440 && (1..=1440).contains(&end) && start != end;
    assert_eq!(schedule.err(), (!good).then_some(LimitsError::Window));
    let at = |seconds: Option<u64>| seconds.map(Timestamp::from_unix_seconds);
    let limits = Limits::new(at(from), at(until), None, uses);
    let expected = match (from, until, uses) {
        (Some(from), Some(until), _) if from >= until => Some(LimitsError::EmptyPeriod),
        (_, _, Some(0)) => Some(LimitsError::NoUses),
        _ => None,
    };
    assert_eq!(limits.err(), expected);
    let rights = Rights::try_from(byte);
    assert_eq!(rights.map(u8::from), if (1..=3).contains(&byte) { Ok(byte) } else { Err(LimitsError::Rights) });
    let action = Action::try_from(byte);
    assert_eq!(action.map(u8::from), if (1..=2).contains(&byte) { Ok(byte) } else { Err(LimitsError::Action) });
    if let (Ok(rights), Ok(action)) = (rights, action) {
        assert_eq!(rights.allow(action), byte & u8::from(action) != 0);
    }
}
