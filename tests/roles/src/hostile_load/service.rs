//! Floods at the service: replayed, colliding and out of order.

use rand_core::Rng;
use sharekey::message::{Grant, Holding};
use sharekey::service::{Service, ShareRecord};

use crate::counting::{Counting, Work};
use sharekey_stage::desk::{
    accept, activated, by_lock, claim_of, claimed, deactivated, device, found, generation, grant, granted, install,
    install_of, receipt, record, reported, serve, service_seed, stranger_seed, subject_seed, withdraw, withdraw_of,
};
use sharekey_stage::forge::signed;
use sharekey_stage::{public, rng};

/// The numbers that the flood is about: more than may be live at once.
const NUMBERS: u32 = 24;
const ROUND: usize = 5_000;
/// What a store has to provide for.
const MAX_RECORD: usize = 16 * 1024;

/// Everything that owner, guests and lock ever signed, and what strangers sign like it.
struct Pool {
    messages: Vec<Vec<u8>>,
    claims: Vec<Vec<u8>>,
    installs: Vec<Vec<u8>>,
}

/// The grant with the same number for somebody else.
fn colliding(n: u32) -> Grant {
    Grant { subject: device(), ..grant(n) }
}

fn pool() -> Pool {
    let (mut messages, mut claims, mut installs) = (Vec::new(), Vec::new(), Vec::new());
    for n in 1..=NUMBERS {
        let owner = sharekey_stage::desk::owner_seed();
        messages.extend([
            granted(n),
            signed(&colliding(n), &owner),
            signed(&grant(n), &stranger_seed()),
            withdraw(n),
            signed(&withdraw_of(&colliding(n)), &owner),
            signed(&withdraw_of(&grant(n)), &stranger_seed()),
            receipt(n),
        ]);
        if n % 8 == 1 {
            messages.extend([by_lock(&activated(n)), by_lock(&deactivated(n)), by_lock(&found(n, Holding::Empty))]);
        }
        claims.push(claimed(n));
        installs.extend([install(n, 1), install(n, 2)]);
        let other = signed(&claim_of(&granted(n), public(&stranger_seed())), &subject_seed());
        installs.push(signed(&install_of(&other, 1), &stranger_seed()));
        claims.push(other);
    }
    messages.push(signed(&sharekey_stage::desk::provisioned(), &sharekey_stage::desk::lock_seed()));
    Pool { messages, claims, installs }
}

#[derive(Default, Debug)]
struct Tally {
    accepted: usize,
    refused: usize,
    dearest: Work,
    largest: usize,
    most_messages: usize,
}

/// One message of those up to `reach`, or a download, more often than not of what is shared; gives whether the
/// record took it.
fn send(
    service: &Service<Counting>,
    record: &mut ShareRecord,
    pool: &Pool,
    reach: usize,
    noise: &mut impl Rng,
) -> bool {
    let mut pick = |below: usize| noise.next_u32() as usize % below;
    if pick(3) == 0 {
        let shared = record.slot().shared().map(|key| key.generation.value() as usize - 1);
        let number = shared.filter(|_| pick(4) > 0).unwrap_or_else(|| pick(NUMBERS as usize));
        let (claim, install) = (&pool.claims[2 * number + pick(2)], &pool.installs[3 * number + pick(3)]);
        return service.take(record, (claim, install)).map(accept).is_ok();
    }
    service.take(record, &pool.messages[pick(reach)]).map(accept).is_ok()
}

/// The owner opens the slot anew, shares it, and the guest downloads: each at the first attempt.
fn goes_on(service: &Service<Counting>, record: &mut ShareRecord, n: u32) {
    serve(service, record, &by_lock(&activated(n))).unwrap();
    serve(service, record, &granted(n + 1)).unwrap();
    serve(service, record, (&claimed(n + 1), &install(n + 1, 1))).unwrap();
    serve(service, record, &receipt(n + 1)).unwrap();
    assert_eq!(
        record.slot().may_open().iter().map(|key| key.key().generation).collect::<Vec<_>>(),
        [generation(n + 1)]
    );
}

#[test]
fn a_record_under_a_flood_stays_small_and_costs_at_most_two_checks_a_message() {
    let counting = Counting::default();
    let service = Service::new(counting.clone(), &service_seed()).unwrap();
    let (pool, mut tally) = (pool(), Tally::default());
    let mut noise = rng(3);
    for round in 0..4 {
        let mut record = record();
        serve(&service, &mut record, &by_lock(&activated(1))).unwrap();
        for step in 0..ROUND {
            let before = record.of_slot().to_bytes();
            // New numbers come in as the flood goes on, and the old ones keep coming.
            let reach = (pool.messages.len() * (step + ROUND / 10) / ROUND).min(pool.messages.len());
            let (taken, work) = counting.of(|| send(&service, &mut record, &pool, reach, &mut noise));
            let after = record.of_slot().to_bytes();
            assert!(taken || before == after, "what is refused changes nothing");
            *(if taken { &mut tally.accepted } else { &mut tally.refused }) += 1;
            tally.dearest = tally.dearest.max(work);
            tally.largest = tally.largest.max(after.len());
            tally.most_messages = tally.most_messages.max(reported(&service, &record).1.len());
        }
        goes_on(&service, &mut record, 100 + round);
    }
    println!("{} taken, {} refused, each at most {}", tally.accepted, tally.refused, tally.dearest);
    println!("record at most {} bytes, a report at most {} messages", tally.largest, tally.most_messages);
    assert_eq!(tally.dearest.checks, 2);
    assert!(tally.dearest.signatures <= 1 && tally.dearest.bytes <= 2_048);
    assert!(tally.largest <= MAX_RECORD);
    assert!(tally.accepted > 1_000 && tally.refused > 1_000, "the flood is of both kinds");
}

/// As many keys live as can be, each released and none proved.
#[test]
fn the_largest_record_has_a_size_that_a_flood_cannot_pass() {
    let counting = Counting::default();
    let service = Service::new(counting, &service_seed()).unwrap();
    let mut record = record();
    serve(&service, &mut record, &by_lock(&activated(1))).unwrap();
    let mut sizes = Vec::new();
    for n in 2..NUMBERS {
        if serve(&service, &mut record, &granted(n)).is_err() {
            break;
        }
        serve(&service, &mut record, (&claimed(n), &install(n, 1))).unwrap();
        serve(&service, &mut record, &withdraw(n)).unwrap();
        sizes.push(record.of_slot().to_bytes().len());
    }
    println!("{} keys live: {} bytes, from {}", sizes.len(), sizes.last().unwrap(), sizes[0]);
    assert_eq!(sizes.len(), sharekey::slot::MAX_LIVE);
    assert!(*sizes.last().unwrap() <= MAX_RECORD);
    for n in NUMBERS..NUMBERS + 500 {
        assert!(serve(&service, &mut record, &granted(n)).is_err());
        serve(&service, &mut record, &withdraw(n)).unwrap();
    }
    println!("after 500 more grants that find no room: {} bytes", record.of_slot().to_bytes().len());
    assert!(record.of_slot().to_bytes().len() <= *sizes.last().unwrap() + 16);
    goes_on(&service, &mut record, 1_000);
}
