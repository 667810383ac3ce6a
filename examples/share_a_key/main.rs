//! The whole story, with real keys and the operating system's entropy: one plain line a step. Exits
//! with an error as soon as anything deviates from it.
//!
//! Every role keeps its own state, and nothing but the bytes of messages passes between them.

#![allow(clippy::arithmetic_side_effects, clippy::print_stdout, reason = "a program, not the library")]

mod door;

use sharekey::code::ShareCode;
use sharekey::contacts::{ContactBook, Fingerprint, Trust};
use sharekey::crypto::Ring;
use sharekey::error::{GuestError, LockError, RefuseReason};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::message::{Holding, WithdrawnOutcome};
use sharekey::secret::{ActivationSecret, Seed};
use sharekey::slot::State;

use sharekey_apps::cloud::Cloud;
use sharekey_apps::phone::{GuestPhone, OwnerPhone, code_holder};
use sharekey_apps::{Outcome, entropy};

use door::Door;

/// 2026-11-23T12:00:00Z, a Monday.
const NOON: u64 = 1_795_435_200;
const HALL: SlotId = SlotId::new(0);
const STUDIO: SlotId = SlotId::new(1);

fn say(line: &str) {
    println!("{line}");
}

fn ensure(holds: bool, what: &str) -> Outcome<()> {
    if holds { Ok(()) } else { Err(format!("deviates from the story: {what}").into()) }
}

/// The step must fail, and the lock must have refused it for this reason.
fn refused<T>(outcome: Outcome<T>, door: &Door, because: LockError) -> Outcome<()> {
    match (outcome, door.refused()) {
        (Ok(_), _) => Err(format!("accepted, though: {because}").into()),
        (Err(_), Some(why)) if why == because => Ok(()),
        (Err(error), why) => Err(format!("{error}, {why:?}, where expected: {because}").into()),
    }
}

fn main() -> Outcome<()> {
    let rng = &mut entropy();
    let card = ActivationSecret::random(rng);
    let mut door = Door::make(&card)?;
    say("A lock leaves the factory, with an activation card.");

    let mut cloud = Cloud::new()?;
    let mut olga = OwnerPhone::new()?;
    olga.provision(&mut door, &card, &mut cloud)?;
    say("Olga makes it hers with the card; the lock knows her key and the cloud's.");

    let noon = Timestamp::from_unix_seconds(NOON);
    olga.at_the_lock(&mut door, &mut cloud, |owner, view, challenge, rng| owner.set_clock(view, noon, challenge, rng))?;
    say("She sets the lock's clock: nobody else can.");

    olga.at_the_lock(&mut door, &mut cloud, |owner, view, challenge, rng| owner.activate(view, HALL, challenge, rng))?;
    olga.at_the_lock(&mut door, &mut cloud, |owner, view, challenge, rng| {
        owner.activate(view, STUDIO, challenge, rng)
    })?;
    ensure(olga.state(HALL) == State::NotShared && olga.state(STUDIO) == State::NotShared, "both slots are open")?;
    say("Standing at the lock, she opens two of its slots for sharing: hall and studio.");

    let mut ana = GuestPhone::with_account(Seed::random(rng))?;
    let mut contacts = ContactBook::new();
    let ana_id = "ana@example".parse()?;
    contacts.add(ana_id, "Ana".parse()?, *ana.account()?.public_key())?;
    let ana_id = "ana@example".parse()?;
    contacts.verify(&Ring, &ana_id, &Fingerprint::of(&Ring, ana.account()?.public_key()))?;
    ensure(contacts.get(&ana_id).is_some_and(|ana| ana.trust() == Trust::Verified), "Ana is verified")?;
    say("Ana is in Olga's contact list; they compared the fingerprint of her key.");

    let weeks = Limits::new(None, Some(Timestamp::from_unix_seconds(NOON + 14 * 86_400)), None, None)?;
    olga.share(&mut cloud, |owner, view| {
        owner.share_with_contact(view, HALL, (&contacts, &ana_id), Rights::OPEN_AND_LOCK, weeks)
    })?;
    ensure(olga.state(HALL) == State::Sharing, "the hall is being shared")?;
    say("At home, Olga shares the hall with Ana's ID, for two weeks.");

    let lost = ShareCode::issue(rng);
    olga.share(&mut cloud, |owner, view| owner.share_by_code(view, STUDIO, &lost, Rights::OPEN, Limits::NONE))?;
    say("She shares the studio by a code, and sends it to the wrong number.");

    ensure(olga.withdraw(&mut cloud, STUDIO)? == WithdrawnOutcome::NeverReleased, "the share was revoked")?;
    ensure(olga.state(STUDIO) == State::NotShared, "the studio is free again")?;
    ensure(olga.may_open(STUDIO) == 0, "nobody can open the studio")?;
    let mut stranger = GuestPhone::with_account(code_holder(lost))?;
    ensure(stranger.download(&mut door, &mut cloud, STUDIO).is_err(), "a revoked code downloads nothing")?;
    say("Nobody has downloaded it, so she revokes it: the code is dead, for good.");

    let code = ShareCode::issue(rng);
    let text = code.expose().as_str().to_owned();
    let thrice = Limits::new(None, None, None, Some(3))?;
    olga.share(&mut cloud, |owner, view| owner.share_by_code(view, STUDIO, &code, Rights::OPEN_AND_LOCK, thrice))?;
    say("She shares it again by a new code, for three openings, and sends that to Ben, who has no account.");

    ana.download(&mut door, &mut cloud, HALL)?;
    say("Ana comes to the door, with a connection, and downloads the key.");
    let mut ben = GuestPhone::with_account(code_holder(ShareCode::parse(&text.to_lowercase().replace('-', " "))?))?;
    ben.download(&mut door, &mut cloud, STUDIO)?;
    say("Ben types the code, in small letters, and downloads his.");

    ana.open(&mut door, HALL, Action::Open)?;
    ben.open(&mut door, STUDIO, Action::Open)?;
    ben.open(&mut door, STUDIO, Action::Lock)?;
    ensure(door.bolt_moves() == 3, "the bolt moved three times")?;
    say("From now on both open offline: the cloud is not asked.");

    olga.sync(&cloud)?;
    ensure(olga.state(HALL) == State::Shared && olga.downloaded(HALL), "Ana's download is proved")?;
    ensure(olga.state(STUDIO) == State::Shared && olga.downloaded(STUDIO), "Ben's download is proved")?;
    olga.show();
    say("Olga's phone shows both keys as downloaded: the lock itself signed the proofs.");

    door.cut_the_power()?;
    ana.open(&mut door, HALL, Action::Open)?;
    ben.open(&mut door, STUDIO, Action::Open)?;
    say("The lock loses its power and comes back: the keys open as before, and Ben has one opening left.");

    let outcome = olga.withdraw(&mut cloud, HALL)?;
    ensure(matches!(outcome, WithdrawnOutcome::Released { .. }), "it was too late to revoke")?;
    ensure(olga.state(HALL) == State::NotShared && olga.may_open(HALL) == 1, "Ana's key is not hidden")?;
    ana.open(&mut door, HALL, Action::Open)?;
    say("Olga resets the hall. Ana's key is on her phone and still opens, and Olga's phone says so.");

    let mut dora = GuestPhone::with_account(Seed::random(rng))?;
    contacts.add("dora@example".parse()?, "Dora".parse()?, *dora.account()?.public_key())?;
    let dora_id = "dora@example".parse()?;
    olga.share(&mut cloud, |owner, view| {
        owner.share_with_contact(view, HALL, (&contacts, &dora_id), Rights::OPEN, Limits::NONE)
    })?;
    dora.download(&mut door, &mut cloud, HALL)?;
    dora.open(&mut door, HALL, Action::Open)?;
    let outcome = ana.open(&mut door, HALL, Action::Open);
    refused(outcome, &door, LockError::UnlockMac)?;
    olga.sync(&cloud)?;
    ensure(olga.may_open(HALL) == 1, "only Dora can open the hall")?;
    say("She shares the hall with Dora, whose download overwrites Ana's key: Ana is refused from then on.");

    ben.open(&mut door, STUDIO, Action::Open)?;
    let outcome = ben.open(&mut door, STUDIO, Action::Open);
    refused(outcome, &door, LockError::UsesSpent)?;
    ensure(ben.last_refusal() == Some(GuestError::Refused(RefuseReason::UsesSpent)), "Ben is told why")?;
    ben.open(&mut door, STUDIO, Action::Lock)?;
    say("Ben's third opening is his last; the fourth is refused, with the reason. He can still lock up.");

    olga.at_the_lock(&mut door, &mut cloud, |owner, view, challenge, rng| {
        owner.deactivate(view, STUDIO, challenge, rng)
    })?;
    let outcome = ben.open(&mut door, STUDIO, Action::Lock);
    refused(outcome, &door, LockError::NotInstalled)?;
    ensure(olga.state(STUDIO) == State::Inactive && olga.may_open(STUDIO) == 0, "nobody can open the studio")?;
    say("At the lock, Olga closes the studio: Ben's key is dead at once, and the lock signs that it is.");

    door.cut_the_power()?;
    let outcome = ben.open(&mut door, STUDIO, Action::Lock);
    refused(outcome, &door, LockError::NotInstalled)?;
    dora.open(&mut door, HALL, Action::Open)?;
    say("Another power cut changes nothing: Ben is out, Dora is in.");

    let mut otto = OwnerPhone::new()?;
    let (key, service) = (otto.key(), cloud.key());
    let done = olga.at_the_lock(&mut door, &mut cloud, |owner, view, challenge, rng| {
        owner.transfer(view, key, service, challenge, rng)
    })?;
    otto.adopt(&door, &cloud, &done)?;
    let holding = otto.inspect(&mut door, &mut cloud, HALL)?;
    ensure(holding == Holding::Inactive, "nothing of the old owner is left")?;
    let outcome = dora.open(&mut door, HALL, Action::Open);
    refused(outcome, &door, LockError::NotInstalled)?;
    ensure(olga.order_anything(&mut door).is_err(), "Olga orders nothing any more")?;
    say("Olga sells the house: the lock is Otto's. No key and no order of hers works any more.");

    say("All as it should be.");
    Ok(())
}
