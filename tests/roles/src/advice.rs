//! Does the advice lead out? Each error that can be healed is brought about, what `retry()` says is done, and the same
//! thing is tried again and succeeds. What is done is decided by the advice alone, in [`Play::follow`]. Each code of the
//! library is played, or is in one of the two lists below with the reason why not.

use std::collections::BTreeSet;

use sharekey::contacts::ContactBook;
use sharekey::counter::Epoch;
use sharekey::error::{Blame, GuestError, LockError, OwnerError, Retry, ServiceError};
use sharekey::limits::{Limits, Rights, Timestamp};
use sharekey::lock::purpose;
use sharekey::owner::Standing;
use sharekey::slot::{MAX_LIVE, State};
use sharekey::wire::Kind;
use sharekey_stage::desk::keep;
use sharekey_stage::errors::{Row, every};
use sharekey_stage::world::door::{NOON, TestLock};
use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::phone::Phone;
use sharekey_stage::world::{ANA, HALL, OTTO, Stop, World, key_of};

mod guest;
mod lock;
mod owner;
mod service;
mod values;

/// Codes for which nothing leads out, and why.
const HOPELESS: &[(&str, &str)] = &[
    ("Wire.Version", "there is one version only; a later one is another program"),
    ("Guest.Wire.Version", "the same"),
    ("Owner.Wire.Version", "the same"),
    ("Service.Wire.Version", "the same"),
    ("Lock.Wire.Version", "the same"),
    ("StoredRecord.Format", "the same"),
    ("Service.Stored.Format", "the same"),
    ("Sealed.Content", "the same"),
    ("Seal.TooLong", "no message of the library is longer than its kind allows"),
    ("Guest.Seal.TooLong", "the same"),
    ("Owner.Seal.TooLong", "the same"),
    ("Service.Seal.TooLong", "the same"),
    ("Lock.Seal.TooLong", "the same"),
    ("Boot.Seal.TooLong", "the same"),
    ("Load.Seal.TooLong", "the same"),
    ("Serve.Remake.TooLong", "the same"),
    ("Owner.Transferred", "the lock is another's, by this owner's own order"),
    ("Owner.OtherOperation", "a lock that signs what it did not do"),
    ("Owner.Refused.NoClock", "a lock without a clock has none to set"),
    ("Service.OldEpoch", "an ownership that is over does not come back"),
    ("Service.Contradiction", "a lock that signs two owners of one epoch"),
    ("Service.Exhausted", "2^64 operations"),
];

/// Codes whose advice is played under another code, or by another test, and where.
const ELSEWHERE: &[(&str, &str)] = &[
    ("Slot.", "inside the owner's and the service's"),
    ("Refused.", "inside the guest's and the owner's"),
    ("Provider.Failed", "inside the roles'"),
    ("Seal.Provider", "the same"),
    ("StoredView.", "told in the words of the format that was read; another copy is another input"),
    ("StoredRecord.", "the same"),
    ("Service.Stored.", "the same"),
    ("StoredSlot.", "the same"),
    ("Staged.NotPending", "`owner.rs` and `service.rs`: a call of the app about its own store"),
    ("Sealed.", "`sealed.rs`: a call of the app about its own store"),
    ("Boot.", "`tests/lock`: a board"),
    ("Serve.", "the same"),
    ("Lock.Seal.Provider", "as `Owner.Seal.Provider`: the same request, once the provider works again"),
    ("Service.Seal.Provider", "the same"),
    ("Load.Seal.Provider", "the same"),
    ("Guest.Busy", "`ring.rs`, as `Owner.Busy` here"),
    ("Guest.NotClaimed", "`ring.rs`, and so the next two"),
    ("Guest.KeyHeld", "the same"),
    ("Guest.NotReleased", "the same"),
    ("Guest.Refused.Busy", "told to a guest only by a lock whose provider fails"),
    ("Guest.Refused.StaleNumber", "told to owners only"),
    ("Guest.Refused.NoSuchSlot", "`Lock.NoSuchSlot`: of a grant for a slot that no owner's app takes"),
    ("Guest.Refused.SlotDamaged", "`Lock.SlotDamaged`: what helps is the owner's to do"),
    ("Guest.Refused.BadKey", "told to owners only"),
    ("Guest.Refused.AlreadyProvisioned", "the same"),
    ("Guest.Refused.Exhausted", "the same"),
    ("Owner.Refused.StaleGeneration", "told to guests only"),
    ("Owner.Refused.ClockUnset", "the same"),
    ("Owner.Refused.NotYetValid", "the same"),
    ("Owner.Refused.Expired", "the same"),
    ("Owner.Refused.OutsideSchedule", "the same"),
    ("Owner.Refused.UsesSpent", "the same"),
    ("Owner.Refused.ActionNotAllowed", "the same"),
    ("Owner.Refused.NonContributory", "the same"),
    ("Owner.Refused.SlotInactive", "the same"),
    (
        "Owner.Refused.WrongEpoch",
        "`Lock.WrongEpoch`; of a phone that slept through a transfer to oneself, whom a report tells",
    ),
    ("Owner.Slot.AlreadyPublished", "a slot's alone: an owner signs no grant twice"),
    ("Owner.Slot.StaleNumber", "a service's: a view takes the next number"),
    ("Owner.Slot.NotPublished", "the same"),
    ("Owner.Slot.ClaimedByOtherDevice", "the same"),
    ("Owner.Exhausted", "2^32 transfers"),
    ("Service.Slot.AlreadyPublished", "a slot's alone: a grant that is sent again is taken"),
    ("Service.Slot.NotPublished", "`NothingShared` and `ClaimNamesOtherGrant` come before it"),
    ("Service.Slot.Exhausted", "an owner's: the service takes no number"),
];

/// An error, as whoever asked has it.
type Found = Box<dyn Blame>;
/// Tries what the case is about: at first so that it fails, then as anybody would. Gives the error of whoever refused.
type Attempt = fn(&mut Play) -> Result<(), Found>;
/// What it is called by those who hear of it, how the stage is set, and the attempt.
type Case = (&'static [&'static str], fn() -> Play, Attempt);

fn told(error: impl Blame + 'static) -> Found {
    Box::new(error)
}

fn stopped(stop: impl Into<Stop>) -> Found {
    match stop.into() {
        Stop::Owner(error) => told(error),
        Stop::Guest(error) => told(error),
        Stop::Service(error) => told(error),
        Stop::Lock(error) => told(error),
        Stop::PowerCut => panic!("no power is cut"),
    }
}

/// Everybody, and how often it was tried.
struct Play {
    w: World,
    ana: Guest,
    /// Whoever buys the lock.
    otto: Phone,
    /// Another phone of Olga's, which then tries.
    twin: Option<Phone>,
    book: ContactBook,
    /// The advice that was followed.
    followed: Vec<Retry>,
    tries: usize,
}

impl Play {
    fn of((w, ana): (World, Guest)) -> Self {
        let (otto, mut book) = (Phone::new(OTTO, &w.tape), ContactBook::new());
        book.add("ana@example".parse().unwrap(), "Ana".parse().unwrap(), key_of(ANA)).unwrap();
        Self { w, ana, otto, twin: None, book, followed: Vec::new(), tries: 0 }
    }

    /// The hall is open; nothing is shared in it.
    fn active() -> Self {
        let w = World::active();
        let ana = w.guest(ANA);
        Self::of((w, ana))
    }

    fn shared() -> Self {
        Self::of(World::shared())
    }

    fn claimed() -> Self {
        Self::of(World::claimed())
    }

    fn downloaded() -> Self {
        Self::of(World::downloaded())
    }

    fn downloaded_with(limits: Limits) -> Self {
        Self::of(World::downloaded_with(limits))
    }

    fn first(&self) -> bool {
        self.tries == 0
    }

    fn did(&self, retry: Retry) -> bool {
        self.followed.contains(&retry)
    }

    /// Ana downloads, where she has no key yet, and opens.
    fn opens(&mut self) -> Result<(), Found> {
        if self.ana.key.is_none() {
            self.w.download(&mut self.ana).map_err(stopped)?;
        }
        self.w.open(&mut self.ana).map_err(stopped)
    }

    /// Does what the advice says, and nothing else.
    fn follow(&mut self, retry: Retry) {
        self.followed.push(retry);
        let Self { w, ana, twin, book, .. } = self;
        let World { door, cloud, olga, tape } = w;
        let noon = Timestamp::from_unix_seconds(NOON);
        match retry {
            // The attempt itself is made another time, or otherwise; or there is nothing to be done.
            Retry::Resend | Retry::NewChallenge | Retry::OtherInput | Retry::Later | Retry::Already => {}
            Retry::SetClock => olga.set_clock(door, noon).unwrap(),
            Retry::WithinLimits => door.set_time(NOON),
            Retry::FetchGrant => {
                ana.claimed = None;
                if cloud.find(door.id(), ana.subject()).is_none() {
                    self.owner_acts();
                }
            }
            Retry::AskOwner => self.owner_acts(),
            Retry::Activate => olga.activate(door, cloud, HALL).unwrap(),
            Retry::Withdraw => {
                let phone = twin.as_mut().unwrap_or(olga);
                let _ = phone.withdraw(cloud, HALL).unwrap();
                let _ = phone.sync(cloud).unwrap();
                // The view shows what the other phone shared by then, to keep or to withdraw.
                if phone.state(HALL) != State::NotShared {
                    let _ = phone.withdraw(cloud, HALL).unwrap();
                }
            }
            Retry::Inspect => {
                let phone = twin.as_mut().unwrap_or(olga);
                phone.inspect(door, cloud, HALL).unwrap();
                if cloud.record((door.id(), HALL)).slot().may_open().len() == MAX_LIVE {
                    phone.activate(door, cloud, HALL).unwrap();
                }
            }
            Retry::TakeOver if olga.view().standing() == Standing::Transferred => self.buyer_takes_over(),
            Retry::TakeOver => {
                let done = olga.transfer(door, olga.key(), cloud.key()).unwrap();
                cloud.hear(&done).unwrap();
                olga.activate(door, cloud, HALL).unwrap();
            }
            Retry::FactoryReset => {
                door.reset_by_card().unwrap();
                *olga = Phone::new(sharekey_stage::world::OLGA, tape);
                olga.provision(door, cloud).unwrap();
                olga.activate(door, cloud, HALL).unwrap();
            }
            Retry::CompareKeys => {
                book.accept_changed_key(&"ana@example".parse().unwrap(), key_of(ANA + 1)).unwrap();
            }
            Retry::TellService => {
                for done in tape.all(Kind::Provisioned).into_iter().chain(tape.all(Kind::Done)) {
                    // What it knows already, it refuses or takes again.
                    let _ = cloud.hear(&done);
                }
            }
            Retry::Refresh => drop(twin.as_mut().unwrap_or(olga).sync(cloud).unwrap()),
            Retry::Reload => {
                for cell in TestLock::cells() {
                    let _ = door.lock.reload(cell, door.store.found(cell));
                }
            }
            Retry::Make => door.reboot(),
            retry => panic!("{retry:?} leads nowhere"),
        }
    }

    /// Olga does what is hers to do: Ana is to get in, or Otto to get the lock that he bought.
    fn owner_acts(&mut self) {
        if self.w.door.lock.ownership().is_err() {
            self.w.olga.provision(&mut self.w.door, &mut self.w.cloud).unwrap();
        }
        if self.otto.told.is_some() {
            let done = self.w.olga.transfer(&mut self.w.door, self.otto.key(), self.w.cloud.key()).unwrap();
            return self.otto.adopt(self.w.door.id(), self.w.cloud.key(), &done).unwrap();
        }
        self.follow(Retry::TellService);
        match self.w.olga.state(HALL) {
            State::Inactive => self.w.activate(HALL).unwrap(),
            State::NotShared => {}
            State::Sharing | State::Shared => drop(self.w.withdraw(HALL).unwrap()),
        }
        self.w.share_with(HALL, &self.ana, Rights::OPEN_AND_LOCK, Limits::NONE).unwrap();
        (self.ana.claimed, self.ana.key) = (None, None);
    }

    /// Otto has the lock from Olga, under another service than his.
    fn buyer_takes_over(&mut self) {
        let Self { w: World { door, cloud, .. }, otto, .. } = self;
        let (challenge, session) = door.connect::<purpose::Operate>();
        let place = (door.id(), Epoch::FIRST.next().unwrap());
        let (command, pending) = otto.owner.take_over(place, cloud.key(), &challenge, &mut otto.rng).unwrap();
        let done = door.command(session, &command).unwrap();
        otto.view = Some(keep(pending.finish(&otto.owner, &done).unwrap()));
    }

    /// What the phone that asked has of a refusal by the lock, where `code` is its own.
    fn heard(&self, code: &str, found: Found) -> Found {
        if found.name() == code || code.ends_with('.') && found.name().starts_with(code) {
            return found;
        }
        match code.split('.').next() {
            Some("Guest") => self.ana.told.map_or(found, told),
            Some("Owner") => [self.twin.as_ref(), Some(&self.otto), Some(&self.w.olga)]
                .into_iter()
                .find_map(|phone| phone?.told)
                .map_or(found, told),
            _ => found,
        }
    }
}

fn cases() -> Vec<Case> {
    [values::CASES, lock::CASES, guest::CASES, owner::CASES, service::CASES].concat()
}

/// Whether a code is this one, or has this one and a cause.
fn is(code: &str, of: &str) -> bool {
    code == of
        || of.ends_with('.') && code.starts_with(of)
        || code.strip_prefix(of).is_some_and(|more| more.starts_with('.'))
}

/// The first attempt, and what it is called.
#[track_caller]
fn fails(code: &str, begin: fn() -> Play, attempt: Attempt) -> (Play, Retry) {
    let mut play = begin();
    let found = attempt(&mut play).expect_err(code);
    let found = play.heard(code, found);
    assert!(is(found.name(), code), "{code}: {}", found.name());
    play.tries += 1;
    (play, found.retry())
}

#[test]
fn what_an_error_advises_leads_to_success() {
    for (codes, begin, attempt) in cases() {
        for code in codes {
            let (mut play, retry) = fails(code, begin, attempt);
            play.follow(retry);
            // What was wrong may have had another thing behind it, once.
            if let Err(found) = attempt(&mut play) {
                let (next, then) = (found.name(), found.retry());
                assert_ne!(then, retry, "{code}: {retry:?} was done, and then: {next}");
                play.follow(then);
                if let Err(found) = attempt(&mut play) {
                    panic!("{code}: {retry:?} was done, then for {next} {then:?}, and then: {}", found.name());
                }
            }
        }
    }
}

/// What somebody has to do is not done by itself: without it, the next attempt fails too.
#[test]
fn what_is_not_done_does_not_help() {
    use Retry::{Already, Later, NewChallenge, OtherInput, Resend};
    let mut played = BTreeSet::new();
    for (codes, begin, attempt) in cases() {
        let (mut play, retry) = fails(codes[0], begin, attempt);
        if ![Already, Later, NewChallenge, OtherInput, Resend].contains(&retry) {
            assert!(attempt(&mut play).is_err(), "{}: {retry:?} was not needed", codes[0]);
        }
        played.insert(retry);
    }
    let all: BTreeSet<Retry> =
        Retry::ALL.iter().copied().filter(|retry| ![Retry::Never, Retry::Update].contains(retry)).collect();
    assert_eq!(played, all, "each advice is played");
}

#[test]
fn each_error_is_played_or_there_is_a_reason_why_not() {
    let played: Vec<(&str, Retry)> = cases()
        .into_iter()
        .flat_map(|(codes, begin, attempt)| codes.iter().map(move |code| (*code, fails(code, begin, attempt).1)))
        .collect();
    let tables = every();
    let rows: Vec<&Row> = tables.iter().flat_map(|(_, rows)| rows).collect();
    for Row { code, retry, .. } in rows.iter().copied() {
        let hopeless = HOPELESS.iter().any(|(of, _)| is(code, of));
        assert_eq!(hopeless, [Retry::Never, Retry::Update].contains(retry), "{code}: {retry:?}");
        if hopeless || ELSEWHERE.iter().any(|(of, _)| is(code, of)) {
            continue;
        }
        let how = played.iter().filter(|(of, _)| is(code, of)).max_by_key(|(of, _)| of.len());
        let (of, advice) = how.unwrap_or_else(|| panic!("{code} is not played: {retry:?}"));
        assert_eq!(advice, retry, "{code} is played as {of}");
    }
    let listed = HOPELESS.iter().chain(ELSEWHERE).map(|(code, _)| *code);
    for code in listed.chain(played.iter().map(|(code, _)| *code)) {
        assert!(rows.iter().any(|row| is(row.code, code)), "no such error: {code}");
    }
    // A cause alone is advised on as inside the errors that have it, where no role knows better.
    for (part, inside) in [("Slot.", "Owner."), ("Refused.", "Guest.")] {
        for row in rows.iter().filter(|row| row.code.starts_with(part)) {
            let twin = format!("{inside}{}", row.code);
            assert_eq!(rows.iter().find(|row| row.code == twin).unwrap().retry, row.retry, "{twin}");
        }
    }
}

/// No advice tells somebody who was refused without a reason to give up a key: anybody can refuse so.
#[test]
fn an_opaque_refusal_costs_no_key() {
    for error in [GuestError::RefusedOpaquely.retry(), OwnerError::RefusedOpaque.retry()] {
        assert_eq!(error, Retry::NewChallenge);
    }
    assert!(!Retry::NewChallenge.to_string().contains("drop"));
    // The service, which the guest knows, is another matter.
    assert_eq!(ServiceError::ClaimNamesOtherGrant.retry(), Retry::FetchGrant);
    assert_eq!(LockError::UnlockMac.retry(), Retry::AskOwner);
}
