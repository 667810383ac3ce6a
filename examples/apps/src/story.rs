//! The whole story, with real keys and the operating system's entropy: one plain line a step.
//!
//! Every role keeps its own state, and nothing but the bytes of messages passes between them.

use sharekey::contacts::Fingerprint;
use sharekey::crypto::Ring;
use sharekey::error::{GuestError, RefuseReason};
use sharekey::id::{AccountId, SlotId};
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::owner::Order;
use sharekey::secret::ActivationSecret;
use sharekey::slot::State;

use super::cloud::Cloud;
use super::phone::{GuestPhone, OwnerPhone};
use super::{Outcome, Radio};

/// A lock at a door, with a radio.
pub trait Door: Radio {
    /// Power off and on again: what is in flash survives, the clock does not.
    fn cut_the_power(&mut self) -> Outcome<()>;
    /// How often the bolt moved.
    fn bolt_moves(&self) -> Outcome<usize>;
}

/// 2026-11-23T12:00:00Z, a Monday.
const NOON: u64 = 1_795_435_200;
const HALL: SlotId = SlotId::new(0);
const STUDIO: SlotId = SlotId::new(1);

pub fn say(line: &str) {
    println!("{line}");
}

pub fn ensure(holds: bool, what: &str) -> Outcome<()> {
    if holds { Ok(()) } else { Err(format!("deviates from the story: {what}").into()) }
}

/// What the owner's phone shows of a slot: its state, whether its key was downloaded, and how many keys may open.
fn shows(owner: &OwnerPhone, slot: SlotId, state: State, downloaded: bool, keys: usize) -> Outcome<()> {
    let status = owner.view()?.status(slot);
    let found = (status.state, status.shared.is_some_and(|key| key.downloaded.is_some()), status.may_open.len());
    ensure(found == (Some(state), downloaded, keys), &format!("slot {slot} shows as {found:?}"))
}

/// The lock must refuse, and so that the guest learns this.
fn refused<T>(opening: Outcome<T>, because: GuestError) -> Outcome<()> {
    let found = opening.err().map(|error| (error.downcast_ref() == Some(&because), error));
    ensure(matches!(found, Some((true, _))), &format!("{found:?}, and not {because}"))
}

/// Plays it, with a lock that leaves the factory; gives who and what is there in the end.
///
/// # Errors
/// The first step that deviates.
pub fn play(door: &mut impl Door, card: &ActivationSecret) -> Outcome<(Cloud, OwnerPhone)> {
    say("A lock leaves the factory, with an activation card.");
    let (mut everywhere, mut olga) = (Cloud::new()?, OwnerPhone::new()?);
    let cloud = &mut everywhere;
    olga.provision(door, card, cloud)?;
    say("Olga makes it hers with the card; the lock knows her key and the cloud's.");
    let set_clock = Order::SetClock { to: Timestamp::from_unix_seconds(NOON) };
    olga.order(door, cloud, set_clock)?;
    say("She sets the lock's clock: nobody else can.");
    for slot in [HALL, STUDIO] {
        olga.order(door, cloud, Order::Activate { slot })?;
        shows(&olga, slot, State::NotShared, false, 0)?;
    }
    say("Standing at the lock, she opens two of its slots for sharing: hall and studio.");
    let mut ana = GuestPhone::new()?;
    let id: AccountId = "ana@example".parse()?;
    olga.contacts.add(id.clone(), "Ana".parse()?, *ana.account.public_key())?;
    olga.contacts.verify(&Ring, &id, &Fingerprint::of(&Ring, ana.account.public_key()))?;
    say("Ana is in Olga's contact list; they compared the fingerprint of her key.");
    let weeks = Limits::NONE.until(Timestamp::from_unix_seconds(NOON + 14 * 86_400))?;
    olga.share(cloud, HALL, "ana@example", Rights::OPEN_AND_LOCK, weeks)?;
    shows(&olga, HALL, State::Sharing, false, 1)?;
    say("At home, Olga shares the hall with Ana's ID, for two weeks.");
    let lost = olga.share_by_code(cloud, STUDIO, Rights::OPEN, Limits::NONE)?;
    say("She shares the studio by a code, and sends it to the wrong number.");
    olga.withdraw(cloud, STUDIO)?;
    shows(&olga, STUDIO, State::NotShared, false, 0)?;
    ensure(GuestPhone::typing(&lost)?.download(door, cloud).is_err(), "a revoked code downloads nothing")?;
    say("Nobody has downloaded it, so she revokes it: the code is dead, for good.");
    let code = olga.share_by_code(cloud, STUDIO, Rights::OPEN_AND_LOCK, Limits::NONE.uses(3)?)?;
    say("She shares it again by a new code, for three openings, and sends that to Ben, who has no account.");
    ana.download(door, cloud)?;
    say("Ana comes to the door, with a connection, and downloads the key.");
    let mut ben = GuestPhone::typing(&code.to_lowercase().replace('-', " "))?;
    ben.download(door, cloud)?;
    say("Ben types the code, in small letters, and downloads his.");
    ana.open(door, Action::Open)?;
    ben.open(door, Action::Open)?;
    ben.open(door, Action::Lock)?;
    ensure(door.bolt_moves()? == 3, "the bolt moved three times")?;
    say("From now on both open offline: the cloud is not asked.");
    olga.sync(cloud)?;
    shows(&olga, HALL, State::Shared, true, 1)?;
    shows(&olga, STUDIO, State::Shared, true, 1)?;
    olga.show();
    say("Olga's phone shows both keys as downloaded: the lock itself signed the proofs.");
    door.cut_the_power()?;
    refused(ana.open(door, Action::Open), GuestError::Refused(RefuseReason::ClockUnset))?;
    ben.open(door, Action::Open)?;
    say("The lock loses its power and comes back: Ben's key opens as before, and has one opening left.");
    olga.order(door, cloud, set_clock)?;
    ana.open(door, Action::Open)?;
    say("Ana's key has an end date, so it opens again once Olga has set the clock.");
    olga.withdraw(cloud, HALL)?;
    shows(&olga, HALL, State::NotShared, false, 1)?;
    ana.open(door, Action::Open)?;
    say("Olga resets the hall. Ana's key is on her phone and still opens, and Olga's phone says so.");
    let mut dora = GuestPhone::new()?;
    olga.contacts.add("dora@example".parse()?, "Dora".parse()?, *dora.account.public_key())?;
    olga.share(cloud, HALL, "dora@example", Rights::OPEN, Limits::NONE)?;
    dora.download(door, cloud)?;
    dora.open(door, Action::Open)?;
    refused(ana.open(door, Action::Open), GuestError::RefusedOpaquely)?;
    olga.sync(cloud)?;
    shows(&olga, HALL, State::Shared, true, 1)?;
    say("She shares the hall with Dora, whose download overwrites Ana's key: Ana is refused from then on.");
    ben.open(door, Action::Open)?;
    refused(ben.open(door, Action::Open), GuestError::Refused(RefuseReason::UsesSpent))?;
    ben.open(door, Action::Lock)?;
    say("Ben's third opening is his last; the fourth is refused, with the reason. He can still lock up.");
    olga.order(door, cloud, Order::Deactivate { slot: STUDIO })?;
    refused(ben.open(door, Action::Lock), GuestError::RefusedOpaquely)?;
    shows(&olga, STUDIO, State::Inactive, false, 0)?;
    say("At the lock, Olga closes the studio: Ben's key is dead at once, and the lock signs that it is.");
    door.cut_the_power()?;
    refused(ben.open(door, Action::Lock), GuestError::RefusedOpaquely)?;
    dora.open(door, Action::Open)?;
    say("Another power cut changes nothing: Ben is out, Dora is in.");
    let mut otto = OwnerPhone::new()?;
    let done = olga.order(door, cloud, Order::Transfer { owner: *otto.owner.key(), service: cloud.key() })?;
    otto.adopt(door, cloud, &done)?;
    otto.order(door, cloud, Order::Inspect { slot: HALL })?;
    shows(&otto, HALL, State::Inactive, false, 0)?;
    refused(dora.open(door, Action::Open), GuestError::RefusedOpaquely)?;
    ensure(olga.order(door, cloud, Order::Act { action: Action::Open }).is_err(), "Olga orders nothing any more")?;
    say("Olga sells the house: the lock is Otto's. No key and no order of hers works any more.");
    Ok((everywhere, otto))
}
