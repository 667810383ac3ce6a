//! What is timed of the hot paths, each beside its floor: the bare primitives that it needs, with the keys ready
//! that a party knows beforehand.

use std::hint::black_box;

use super::bare::{self, Bare};
use super::inputs::{self, Attempt, Guarded, Row, command, forged, install, leak, unlock};
use super::race::Race;
use sharekey::crypto::{Pinned, PublicKey, Ring, RustCrypto};
use sharekey::limits::Limits;
use sharekey::lock::purpose;
use sharekey::message::{Bundle, Grant, Receipt};
use sharekey::wire::Unverified;

/// Signature checks in a batch: some hundred microseconds.
const BATCH: usize = 4;

/// Every path under both providers.
pub fn all() -> Race<'static> {
    let mut race = Race::default();
    of::<Ring>(&mut race);
    of::<RustCrypto>(&mut race);
    race
}

fn of<C: Bare>(race: &mut Race<'static>) {
    signatures::<C>(race);
    downloads::<C>(race);
    unlocks::<C>(race);
    refusals::<C>(race);
}

/// Messages that carry one signature.
fn signatures<C: Bare>(race: &mut Race<'static>) {
    let (owner, grants) = inputs::grants::<C>(inputs::dates());
    let (grants, verifier) = (leak(grants), C::verifier(owner.as_bytes()));
    let pinned = Pinned::new(&C::default(), owner);
    race.rotated("bare, grant", C::NAME, BATCH, grants, move |grant| bare::check::<C>(&verifier, grant));
    race.rotated("grant", C::NAME, BATCH, grants, move |grant| {
        *Unverified::<Grant>::parse(grant).unwrap().verify_pinned(&C::default(), &pinned).unwrap()
    });
    race.rotated("grant, the key parsed each time", C::NAME, BATCH, grants, move |grant| {
        *Unverified::<Grant>::parse(grant).unwrap().verify(&C::default(), &owner).unwrap()
    });

    let (mut house, receipts) = inputs::receipts::<C>();
    let (receipts, lock) = (leak(receipts), house.lock.id());
    let verifier = C::verifier(lock.key().as_bytes());
    race.rotated("bare, receipt", C::NAME, BATCH, receipts, move |receipt| bare::check::<C>(&verifier, receipt));
    race.rotated("receipt, the message alone", C::NAME, BATCH, receipts, move |receipt| {
        *Unverified::<Receipt>::parse(receipt).unwrap().verify(&C::default(), lock.key()).unwrap()
    });
    race.rotated("receipt, learned by the owner", C::NAME, BATCH, receipts, move |receipt| {
        let _ = black_box(house.owner.learn(&mut house.view, receipt).unwrap());
    });
}

/// The four-signature bundle at the lock, and the service's part.
fn downloads<C: Bare>(race: &mut Race<'static>) {
    let row = Row::<C>::new(inputs::dates());
    let bundles = row.sample(|guarded| {
        let owner = C::verifier(guarded.house.owner.key().as_bytes());
        let service = C::verifier(guarded.house.service.key().as_bytes());
        (owner, *guarded.house.account.public_key(), service, guarded.bundle().1)
    });
    race.rotated("bare, bundle", C::NAME, 1, leak(bundles), |(owner, subject, service, bundle)| {
        let parts = Bundle::parse(bundle).unwrap();
        let device = device(parts.claim);
        bare::check::<C>(owner, parts.grant);
        bare::check_fresh::<C>(subject, parts.claim);
        bare::check_fresh::<C>(&device, parts.install);
        bare::check::<C>(service, parts.release);
    });
    let spoilt = |guarded: &mut Guarded<C>| {
        let (session, bundle) = guarded.bundle();
        (session, forged(&bundle))
    };
    race.prepared("bundle, refused at its fourth signature", C::NAME, 1, row.batch(1, spoilt, install));
    race.prepared("bundle, installed", C::NAME, 1, row.batch(1, Guarded::bundle, install));

    let commands = row.sample(|guarded| (C::verifier(guarded.house.owner.key().as_bytes()), guarded.command().1));
    race.rotated("bare, command", C::NAME, BATCH, leak(commands), |(key, command)| bare::check::<C>(key, command));
    let spoilt = |guarded: &mut Guarded<C>| {
        let (session, command) = guarded.command();
        (session, forged(&command))
    };
    race.prepared("command, refused at its signature", C::NAME, 4, row.batch(4, spoilt, command));
    race.prepared("command, carried out", C::NAME, 4, row.batch(4, Guarded::command, command));

    let (mut house, claim, device, installs) = inputs::releases::<C>();
    let (claim, installs, subject) = (leak(claim), leak(installs), *house.account.public_key());
    race.rotated("bare, claim and install", C::NAME, BATCH, installs, move |install| {
        bare::check_fresh::<C>(&subject, claim);
        bare::check_fresh::<C>(&device, install);
    });
    race.rotated("release, by the service", C::NAME, BATCH, installs, move |install| {
        let _ = black_box(house.service.release(&mut house.record, claim, install).unwrap());
    });
}

/// The device that a claim names, 32 bytes behind its header and the grant's digest.
pub fn device(claim: &[u8]) -> PublicKey {
    PublicKey::from_bytes(*claim[36..].first_chunk().unwrap())
}

type Install = Attempt<purpose::Install>;
type Operate = Attempt<purpose::Operate>;

/// The offline opening.
fn unlocks<C: Bare>(race: &mut Race<'static>) {
    let row = Row::<C>::new(Limits::NONE);
    let messages = leak(row.sample(|guarded| guarded.unlock().1));
    let macer = C::macer(&[5; 32]);
    race.rotated("bare HMAC, unlock", C::NAME, 256, messages, move |unlock| {
        C::mac(black_box(&macer), &unlock[..unlock.len() - 16])
    });
    race.rotated("HMAC, its key set up each time, unlock", C::NAME, 256, messages, |unlock| {
        C::default().hmac_sha256(black_box(&[5; 32]), &[&unlock[..unlock.len() - 16]])
    });
    let spoilt = |guarded: &mut Guarded<C>| {
        let (session, mut unlock) = guarded.unlock();
        *unlock.last_mut().unwrap() ^= 1;
        (session, unlock)
    };
    race.prepared("unlock, refused at its tag", C::NAME, 8, row.batch(8, spoilt, unlock));
    race.prepared("unlock, opened, with its reply", C::NAME, 8, row.batch(8, Guarded::unlock, unlock));
    let row = Row::<C>::new(inputs::every_limit());
    race.prepared("unlock, opened, all limits, a use written", C::NAME, 8, row.batch(8, Guarded::unlock, unlock));
}

/// What an attacker can send as often as it likes.
fn refusals<C: Bare>(race: &mut Race<'static>) {
    let row = Row::<C>::new(Limits::NONE);
    let mut bundles = |what: &str, spoil: fn(&mut Guarded<C>) -> Install| {
        race.prepared(what, C::NAME, 8, row.batch(8, spoil, install));
    };
    bundles("bundle: no message at all", |guarded| (guarded.bundle().0, b"GET / HTTP/1.1".to_vec()));
    bundles("bundle: a byte too many", |guarded| {
        let (session, mut bundle) = guarded.bundle();
        bundle.push(0);
        (session, bundle)
    });
    bundles("bundle: limits that contradict themselves", |guarded| {
        let (session, mut bundle) = guarded.bundle();
        // The last byte of the grant's body, the tag of its uses, becomes one that no option has.
        let end = usize::from(bundle[4]) + 6 - 64;
        bundle[end - 1] = 7;
        (session, bundle)
    });
    bundles("bundle: an older session", |guarded| {
        let attempt = guarded.bundle();
        drop(guarded.house.challenge::<purpose::Install>());
        attempt
    });
    bundles("bundle: another lock", |guarded| {
        let (session, mut bundle) = guarded.bundle();
        bundle[10] ^= 1;
        (session, bundle)
    });
    let mut commands = |what: &str, spoil: fn(&mut Guarded<C>) -> Operate| {
        race.prepared(what, C::NAME, 8, row.batch(8, spoil, command));
    };
    commands("command: an older session's nonce", |guarded| {
        let command = guarded.command().1;
        (Some(guarded.house.challenge().1), command)
    });
    let mut unlocks = |what: &str, spoil: fn(&mut Guarded<C>) -> Operate| {
        race.prepared(what, C::NAME, 8, row.batch(8, spoil, unlock));
    };
    unlocks("unlock: an unknown action", |guarded| {
        let (session, mut unlock) = guarded.unlock();
        unlock[5] = 9;
        (session, unlock)
    });
    unlocks("unlock: an older session", |guarded| {
        let attempt = guarded.unlock();
        drop(guarded.house.challenge::<purpose::Operate>());
        attempt
    });
    unlocks("unlock: an older session's nonce", |guarded| {
        let unlock = guarded.unlock().1;
        (Some(guarded.house.challenge().1), unlock)
    });
}
