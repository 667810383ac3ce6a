//! The whole story, while the lock loses its power, the cloud restarts and the apps are killed,
//! between any two steps and in the midst of them.

use sharekey::error::{LockError, Retry};
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::message::WithdrawnOutcome;
use sharekey::slot::State;

use sharekey_stage::world::cloud::Cloud;
use sharekey_stage::world::door::{Moment, NOON};
use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::phone::Phone;
use sharekey_stage::world::{ANA, BEN, EVE, HALL, OTHER_CLOUD, OTTO, STUDIO, Stop, World};

struct Cast {
    w: World,
    ana: Guest,
    ben: Guest,
    dora: Guest,
    otto: Phone,
    other: Cloud,
}

impl Cast {
    fn new() -> Self {
        let w = World::fresh(1);
        let [ana, ben, dora] = [ANA, BEN, EVE].map(|byte| w.guest(byte));
        let (otto, other) = (Phone::new(OTTO, &w.tape), Cloud::new(OTHER_CLOUD, &w.tape));
        Self { w, ana, ben, dora, otto, other }
    }

    /// One step. Where the library says that a new challenge helps, there is one more attempt.
    #[track_caller]
    fn act(&mut self, (name, step): &(&str, Step)) {
        let mut outcome = step(self);
        if outcome.is_err_and(|stop| stop.retry() == Retry::NewChallenge) {
            outcome = step(self);
        }
        assert_eq!(outcome, Ok(()), "{name}");
    }
}

type Step = fn(&mut Cast) -> Result<(), Stop>;

/// The refusal that the story wants.
fn refused(outcome: Result<(), Stop>, because: LockError) -> Result<(), Stop> {
    match outcome {
        Ok(()) => panic!("accepted"),
        Err(stop) if stop == because.into() => Ok(()),
        Err(other) => Err(other),
    }
}

const STORY: &[(&str, Step)] = &[
    ("Olga provisions", |c| c.w.olga.provision(&mut c.w.door, &mut c.w.cloud)),
    ("opens the hall", |c| c.w.activate(HALL)),
    ("opens the studio", |c| c.w.activate(STUDIO)),
    ("sets the clock", |c| c.w.olga.set_clock(&mut c.w.door, Timestamp::from_unix_seconds(NOON))),
    ("shares the hall with Ana", |c| c.w.share(HALL, &c.ana).map(drop)),
    ("shares the studio with Dora", |c| c.w.share(STUDIO, &c.dora).map(drop)),
    ("revokes that", |c| {
        assert_eq!(c.w.withdraw(STUDIO)?, WithdrawnOutcome::NeverReleased);
        Ok(())
    }),
    ("shares the studio with Ben", |c| {
        let limits = Limits::new(None, Some(Timestamp::from_unix_seconds(NOON + 1_000)), None, Some(5)).unwrap();
        c.w.share_with(STUDIO, &c.ben, Rights::OPEN_AND_LOCK, limits).map(drop)
    }),
    ("Ana downloads", |c| c.w.download(&mut c.ana)),
    ("Ben downloads", |c| c.w.download(&mut c.ben)),
    ("Ana opens", |c| c.w.open(&mut c.ana)),
    ("Ben opens", |c| c.w.open(&mut c.ben)),
    ("Ben locks", |c| c.ben.act(&mut c.w.door, Action::Lock)),
    ("Olga sees both downloads", |c| {
        c.w.sync();
        assert_eq!(c.w.olga.downloaded(HALL), Some(c.ana.key().device()));
        assert_eq!(c.w.olga.downloaded(STUDIO), Some(c.ben.key().device()));
        Ok(())
    }),
    ("resets the hall", |c| {
        assert!(matches!(c.w.withdraw(HALL)?, WithdrawnOutcome::Released { .. }));
        Ok(())
    }),
    ("Ana still opens", |c| c.w.open(&mut c.ana)),
    ("Olga shares the hall with Dora", |c| c.w.share(HALL, &c.dora).map(drop)),
    ("Dora downloads", |c| c.w.download(&mut c.dora)),
    ("Ana is out", |c| refused(c.w.open(&mut c.ana), LockError::UnlockMac)),
    ("Dora opens", |c| c.w.open(&mut c.dora)),
    ("Olga closes the studio", |c| c.w.deactivate(STUDIO)),
    ("Ben is out", |c| refused(c.w.open(&mut c.ben), LockError::NotInstalled)),
    ("Olga inspects the hall", |c| c.w.olga.inspect(&mut c.w.door, &mut c.w.cloud, HALL).map(drop)),
    ("opens herself", |c| c.w.olga.act(&mut c.w.door, Action::Open)),
    ("and sees it all", |c| {
        c.w.sync();
        assert_eq!((c.w.state(HALL), c.w.state(STUDIO)), (State::Shared, State::Inactive));
        assert_eq!(c.w.olga.downloaded(HALL), Some(c.dora.key().device()));
        assert_eq!((c.w.olga.may_open(HALL).len(), c.w.olga.may_open(STUDIO).len()), (1, 0));
        use Action::{Lock, Open};
        assert_eq!(c.w.door.bolt, [Open, Open, Lock, Open, Open, Open]);
        Ok(())
    }),
];

/// What a lost answer to the last step cannot be made up for by another attempt.
const SALE: &[(&str, Step)] = &[
    ("Olga sells to Otto", |c| {
        let done = c.w.olga.transfer(&mut c.w.door, c.otto.key(), c.other.key())?;
        c.otto.adopt(c.w.door.id(), c.other.key(), &done)?;
        c.other.hear(&done)?;
        Ok(c.w.cloud.hear(&done)?)
    }),
    ("Dora is out", |c| refused(c.w.open(&mut c.dora), LockError::NotInstalled)),
    ("Otto opens the hall", |c| c.otto.activate(&mut c.w.door, &mut c.other, HALL)),
];

#[test]
fn the_story_succeeds_when_the_lock_loses_its_power_after_every_step() {
    let mut cast = Cast::new();
    for step in STORY.iter().chain(SALE) {
        cast.act(step);
        cast.w.door.reboot();
    }
}

#[test]
fn the_story_succeeds_when_cloud_and_phones_restart_between_any_two_steps() {
    let mut cast = Cast::new();
    cast.w.restart_all_the_time();
    cast.otto.restarts = true;
    for guest in [&mut cast.ana, &mut cast.ben, &mut cast.dora] {
        guest.restarts = true;
    }
    for step in STORY.iter().chain(SALE) {
        cast.act(step);
    }
}

/// How many calls of the lock the story takes.
fn calls() -> usize {
    let mut cast = Cast::new();
    STORY.iter().for_each(|step| cast.act(step));
    cast.w.door.calls
}

fn with_a_cut(moment: Moment) {
    for at in 0..calls() {
        let mut cast = Cast::new();
        cast.w.door.cut = Some((at, moment));
        for step in STORY {
            cast.act(step);
        }
        assert!(cast.w.door.calls > at, "the cut came");
    }
}

#[test]
fn the_story_succeeds_with_a_power_cut_before_any_one_message_arrives() {
    with_a_cut(Moment::Before);
}

#[test]
fn the_story_succeeds_with_a_power_cut_before_any_one_record_is_written() {
    with_a_cut(Moment::Writing);
}

#[test]
fn the_story_succeeds_with_a_power_cut_before_any_one_answer_goes_out() {
    with_a_cut(Moment::Answering);
}

#[test]
fn a_power_cut_before_the_transfer_is_written_leaves_the_lock_olgas() {
    for moment in [Moment::Before, Moment::Writing] {
        let mut cast = Cast::new();
        STORY.iter().for_each(|step| cast.act(step));
        // The challenge, then the command.
        cast.w.door.cut = Some((cast.w.door.calls + 1, moment));
        assert!(cast.w.olga.transfer(&mut cast.w.door, cast.otto.key(), cast.other.key()).is_err());
        assert_eq!(cast.w.door.lock.ownership().unwrap().owner, cast.w.olga.key());
        cast.w.open(&mut cast.dora).unwrap();
        SALE.iter().for_each(|step| cast.act(step));
    }
}
