//! Messages of every kind, in every shape. The first of each kind belong together: one story.

use crate::provider::Provider;
use serde_json::{Value, json};
use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{Mac, Signature, Tag};
use sharekey::error::RefuseReason;
use sharekey::id::{SlotCount, SlotId};
use sharekey::limits::{Action, Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::message::{
    Battery, Bundle, Challenge, Claim, Command, Completed, Connect, ConnectFor, Done, FactoryReset, Grant, Holding,
    Install, LockTime, Operation, Outcome, Provision, Provisioned, Receipt, Refused, RefusedBody, Release, Reply,
    SlotReport, Unlock, Withdraw, Withdrawn, WithdrawnOutcome,
};
use sharekey::wire::{Kind, Message};

use sharekey_stage::cells::limits;
use sharekey_stage::ops::{Op, Order, With, completed};

use super::keys::{agreement, bytes32, card, digest, lock, nonce, public, seed, some_digest};
use super::peer::form::{self, form, hex};
use super::{forge, keys};

/// One message, and how it came about.
#[derive(Clone)]
pub struct Sample {
    pub name: String,
    pub kind: Kind,
    /// The name of the key of the authenticator, and its sort.
    pub auth: Value,
    pub fields: Value,
    pub bytes: Vec<u8>,
}

/// The pairing key of the samples.
pub fn pairing() -> [u8; 32] {
    bytes32("pairing key")
}

pub(super) fn signed<T: Message<Auth = Signature>>(name: &str, body: &T, signer: &str) -> Sample {
    Sample {
        name: named::<T>(name),
        kind: T::KIND,
        auth: json!({ "type": "signature", "key": signer }),
        fields: form(body),
        bytes: forge::signed(body, &seed(signer)),
    }
}

fn tagged<T: Message<Auth = Tag>>(name: &str, body: &T, (key, secret): (&str, &[u8])) -> Sample {
    Sample {
        name: named::<T>(name),
        kind: T::KIND,
        auth: json!({ "type": "tag", "key": key }),
        fields: form(body),
        bytes: forge::tagged(body, secret),
    }
}

fn named<T: Message>(name: &str) -> String {
    format!("{:?}: {name}", T::KIND)
}

pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn offset(minutes: i16) -> UtcOffset {
    UtcOffset::from_minutes(minutes).unwrap()
}

fn schedule(days: u8, (start, end): (u16, u16), minutes: i16, next: Option<(u64, i16)>) -> Schedule {
    let next = next.map(|(moment, minutes)| OffsetChange { at: at(moment), offset: offset(minutes) });
    Schedule::new(Weekdays::try_from(days).unwrap(), start, end, offset(minutes), next).unwrap()
}

/// 2026-12-01T00:00:00Z, and two weeks later.
pub const FROM: u64 = 1_796_083_200;
pub const UNTIL: u64 = 1_797_292_800;
/// 2027-03-28T01:00:00Z, when summer time begins.
pub const SUMMER: u64 = 1_806_195_600;

/// Monday to Friday, 8 to 18 o'clock, in the winter of a zone that is an hour east.
pub fn office_hours() -> Schedule {
    schedule(0x1f, (480, 1080), 60, Some((SUMMER, 120)))
}

pub fn every_limit() -> Limits {
    limits(Some(FROM), Some(UNTIL), Some(office_hours()), Some(20))
}

/// How many slots the lock of the samples has.
pub(super) const SLOTS: SlotCount = SlotCount::new(10).unwrap();

fn grant() -> Grant {
    Grant {
        lock: lock("lock"),
        epoch: Epoch::FIRST,
        by: Term::OWNER,
        slot: SlotId::new(3),
        generation: Generation::new(7),
        subject: public("subject"),
        rights: Rights::OPEN_AND_LOCK,
        limits: every_limit(),
    }
}

fn grants() -> Vec<Sample> {
    let with = |name: &str, change: &dyn Fn(&mut Grant)| {
        let mut grant = grant();
        grant.limits = Limits::NONE;
        change(&mut grant);
        signed(name, &grant, "owner")
    };
    vec![
        signed("every limit", &grant(), "owner"),
        with("no limits", &|_| {}),
        with("from", &|grant| grant.limits = limits(Some(FROM), None, None, None)),
        with("until", &|grant| grant.limits = limits(None, Some(UNTIL), None, None)),
        with("from, and until one second later", &|grant| {
            grant.limits = limits(Some(FROM), Some(FROM + 1), None, None)
        }),
        with("uses", &|grant| grant.limits = limits(None, None, None, Some(1))),
        with("schedule without a next offset", &|grant| {
            grant.limits = limits(None, None, Some(schedule(0x60, (0, 1440), 0, None)), None);
        }),
        with("schedule past midnight, west", &|grant| {
            grant.limits = limits(None, None, Some(schedule(0x7f, (1320, 360), -300, Some((SUMMER, -240)))), None);
        }),
        with("the lowest numbers", &|grant| {
            (grant.epoch, grant.slot, grant.generation) = (Epoch::ZERO, SlotId::new(0), Generation::ZERO);
            let lowest = schedule(1, (0, 1), -720, Some((0, -720)));
            (grant.rights, grant.limits) = (Rights::OPEN, limits(Some(0), Some(1), Some(lowest), Some(1)));
        }),
        with("the highest numbers", &|grant| {
            (grant.epoch, grant.by) = (Epoch::MAX, Term::MAX);
            (grant.slot, grant.generation) = (SlotId::new(255), Generation::MAX);
            let highest = schedule(0x7f, (1439, 1440), 840, Some((u64::MAX, 840)));
            grant.limits = limits(Some(u64::MAX - 1), Some(u64::MAX), Some(highest), Some(u32::MAX));
        }),
        with("the right to open", &|grant| grant.rights = Rights::OPEN),
        with("the right to lock", &|grant| grant.rights = Rights::LOCK),
    ]
}

pub(super) fn chain() -> [Vec<u8>; 4] {
    let grant = forge::signed(&grant(), &seed("owner"));
    let claim = forge::signed(&claim(&grant), &seed("subject"));
    let install = forge::signed(&install(&claim), &seed("device"));
    let release = forge::signed(&Release { install: digest(&install) }, &seed("service"));
    [grant, claim, install, release]
}

fn claim(grant: &[u8]) -> Claim {
    Claim { grant: digest(grant), device: public("device") }
}

fn install(claim: &[u8]) -> Install {
    Install { claim: digest(claim), nonce: nonce("lock's nonce, install"), agreement: agreement("guest's agreement") }
}

fn receipt() -> Receipt {
    let [grant, _, install, _] = chain();
    Receipt {
        install: digest(&install),
        lock: lock("lock"),
        epoch: Epoch::FIRST,
        slot: SlotId::new(3),
        generation: Generation::new(7),
        grant: digest(&grant),
        device: public("device"),
        agreement: agreement("lock's agreement"),
    }
}

fn withdraw() -> Withdraw {
    let Grant { lock, epoch, by, slot, generation, .. } = grant();
    Withdraw { lock, epoch, by, slot, generation, grant: digest(&chain()[0]) }
}

fn withdrawals() -> Vec<Sample> {
    let withdraw_signature = forge::last_signature(&forge::signed(&withdraw(), &seed("owner")));
    let withdrawn = |outcome| Withdrawn { withdraw: withdraw(), withdraw_signature, outcome };
    let install = digest(&chain()[2]);
    let (epoch, by, slot, generation) = (Epoch::MAX, Term::MAX, SlotId::new(255), Generation::MAX);
    let highest = Withdraw { epoch, by, slot, generation, ..withdraw() };
    vec![
        signed("of the grant with every limit", &withdraw(), "owner"),
        signed("the highest numbers", &highest, "owner"),
        signed("released", &withdrawn(WithdrawnOutcome::Released { install }), "service"),
        signed("never released", &withdrawn(WithdrawnOutcome::NeverReleased), "service"),
        signed("settled", &withdrawn(WithdrawnOutcome::Settled), "service"),
    ]
}

fn bundle(name: &str, parts: [Vec<u8>; 4]) -> Sample {
    let [grant, claim, install, release] = &parts;
    let bundle = Bundle { grant, claim, install, release };
    Sample {
        name: format!("Bundle: {name}"),
        kind: Kind::Bundle,
        auth: json!({ "type": "none" }),
        fields: form::bundle(&bundle),
        bytes: bundle.encode().unwrap().to_vec(),
    }
}

fn connects() -> Vec<Sample> {
    let to = |name: &str, purpose| {
        let connect = Connect { purpose };
        Sample {
            name: format!("Connect: {name}"),
            kind: Kind::Connect,
            auth: json!({ "type": "none" }),
            fields: form(&connect),
            bytes: forge::bare(&connect),
        }
    };
    vec![to("to download", ConnectFor::Install), to("to do anything else", ConnectFor::Operate)]
}

fn downloads() -> Vec<Sample> {
    let [grant, claim, install, release] = chain();
    let challenge = Challenge { lock: lock("lock"), nonce: nonce("lock's nonce, install") };
    let short_grant = forge::signed(&Grant { limits: Limits::NONE, ..self::grant() }, &seed("owner"));
    let highest = Receipt { epoch: Epoch::MAX, slot: SlotId::new(255), generation: Generation::MAX, ..receipt() };
    vec![
        signed("of the grant with every limit", &self::claim(&grant), "subject"),
        Sample {
            name: "Challenge: for the install".to_owned(),
            kind: Kind::Challenge,
            auth: json!({ "type": "none" }),
            fields: form(&challenge),
            bytes: forge::bare(&challenge),
        },
        signed("on that claim and challenge", &self::install(&claim), "device"),
        signed("of that install", &Release { install: digest(&install) }, "service"),
        signed("for that install", &receipt(), "lock"),
        signed("the highest numbers", &highest, "lock"),
        bundle("that download", [grant, claim.clone(), install.clone(), release.clone()]),
        bundle("the shortest; its parts do not belong together", [short_grant, claim, install, release]),
    ]
}

fn unlock(action: Action) -> Unlock {
    let (lock_nonce, guest_nonce) = (nonce("lock's nonce, unlock"), nonce("guest's nonce"));
    Unlock { slot: SlotId::new(3), action, lock_nonce, guest_nonce }
}

fn unlocks() -> Vec<Sample> {
    let pairing = pairing();
    let key = ("pairing", &pairing[..]);
    let mut all = vec![
        tagged("open", &unlock(Action::Open), key),
        tagged("lock", &Unlock { slot: SlotId::new(255), ..unlock(Action::Lock) }, key),
    ];
    let opened = forge::frame(&unlock(Action::Open));
    let unlock = Tag::truncated(&Provider.hmac_sha256(&pairing, &[&opened]));
    let reply = |outcome, battery| Reply { outcome, unlock, battery };
    all.push(tagged("accepted", &reply(Outcome::Accepted, Battery::at(62)), key));
    all.push(tagged("accepted, the battery is empty", &reply(Outcome::Accepted, Battery::at(0)), key));
    all.push(tagged("accepted, the battery is full", &reply(Outcome::Accepted, Battery::at(100)), key));
    for reason in RefuseReason::ALL {
        let reply = reply(Outcome::Refused { reason: *reason }, Battery::UNKNOWN);
        all.push(tagged(&format!("refused, {reason:?}"), &reply, key));
    }
    all
}

fn command(operation: Operation) -> Command {
    Command {
        lock: lock("lock"),
        epoch: Epoch::FIRST,
        by: Term::OWNER,
        lock_nonce: nonce("lock's nonce, command"),
        owner_nonce: nonce("owner's nonce, command"),
        operation,
    }
}

fn operations() -> Vec<(&'static str, Operation)> {
    let (slot, generation) = (SlotId::new(3), Generation::new(6));
    let (owner, service) = (public("next owner"), public("next service"));
    let mut all = vec![
        ("activate", Operation::Activate { slot, generation }),
        ("deactivate", Operation::Deactivate { slot, generation: Generation::new(8) }),
        ("transfer", Operation::Transfer { owner, service }),
        ("set the clock", Operation::SetClock { to: at(FROM) }),
        ("open", Operation::Act { action: Action::Open }),
        ("lock", Operation::Act { action: Action::Lock }),
        ("inspect", Operation::Inspect { slot }),
        ("activate, the highest numbers", Operation::Activate { slot: SlotId::new(255), generation: Generation::MAX }),
        ("set the clock to its last second", Operation::SetClock { to: at(u64::MAX) }),
    ];
    let with = With { slot, generation, owner, service, time: at(FROM), action: Action::Open };
    let here = |order: &Order| all.iter().any(|(_, operation)| Order::of(operation) == *order);
    let others: Vec<Order> = Order::ALL.into_iter().filter(|order| !here(order)).collect();
    all.extend(others.into_iter().map(|order| (Op::ordered(order).name(), order.with(&with))));
    all
}

fn results() -> Vec<(&'static str, Completed)> {
    let (slot, generation) = (SlotId::new(3), Generation::new(6));
    let (owner, service) = (public("next owner"), public("next service"));
    let report = |floor, holding| SlotReport { floor: Generation::new(floor), holding };
    let installed = Holding::Installed { grant: digest(&chain()[0]), device: public("device") };
    let closed = report(8, Holding::Inactive);
    let mut all = vec![
        ("activate", Completed::Activate { slot, generation, left: report(6, Holding::Empty) }),
        ("deactivate", Completed::Deactivate { slot, generation: Generation::new(8), left: closed }),
        ("transfer", Completed::Transfer { owner, service, slots: SLOTS }),
        ("set the clock", Completed::SetClock { to: at(FROM) }),
        ("open", Completed::Act { action: Action::Open }),
        ("lock", Completed::Act { action: Action::Lock }),
        ("inspect, a key is installed", Completed::Inspect { slot, slots: SLOTS, left: report(7, installed) }),
        ("inspect, empty", Completed::Inspect { slot, slots: SLOTS, left: report(6, Holding::Empty) }),
        ("inspect, inactive", Completed::Inspect { slot, slots: SLOTS, left: report(0, Holding::Inactive) }),
    ];
    let here: Vec<Order> = all.iter().map(|(_, done)| Order::of(&done.operation())).collect();
    let others = operations().into_iter().filter(|(_, operation)| !here.contains(&Order::of(operation)));
    all.extend(others.map(|(name, operation)| (name, completed(&operation, SLOTS, &report(7, installed)))));
    all
}

fn orders() -> Vec<Sample> {
    let mut all: Vec<_> = operations().iter().map(|(name, order)| signed(name, &command(*order), "owner")).collect();
    for ((name, completed), (_, order)) in results().into_iter().zip(operations().iter().cycle()) {
        let epoch = if matches!(completed, Completed::Transfer { .. }) { Epoch::new(2) } else { Epoch::FIRST };
        let command = digest(&forge::signed(&command(*order), &seed("owner")));
        let (time, battery) = match completed {
            Completed::SetClock { to } => (LockTime::at(to), Battery::at(100)),
            Completed::Transfer { .. } => (LockTime::UNKNOWN, Battery::at(0)),
            Completed::Inspect { .. } => (LockTime::UNKNOWN, Battery::UNKNOWN),
            _ => (LockTime::at(at(FROM)), Battery::at(62)),
        };
        all.push(signed(name, &Done { command, lock: lock("lock"), epoch, time, battery, completed }, "lock"));
    }
    all
}

fn refusals() -> Vec<Sample> {
    let request = some_digest("a request that was refused");
    let body = |reason: &RefuseReason| RefusedBody { request, reason: *reason };
    // Stale first: the one that the text of the spec shows.
    let mut all = vec![signed("StaleGeneration", &body(&RefuseReason::StaleGeneration), "lock")];
    let others = RefuseReason::ALL.iter().filter(|reason| **reason != RefuseReason::StaleGeneration);
    all.extend(others.map(|reason| signed(&format!("{reason:?}"), &body(reason), "lock")));
    all.push(Sample {
        name: "Refused: opaque".to_owned(),
        kind: Kind::Refused,
        auth: json!({ "type": "none" }),
        fields: json!({}),
        bytes: Refused::OPAQUE.to_vec(),
    });
    all
}

pub(super) fn provision() -> (Provision, Provisioned) {
    let (owner, service, card) = (public("owner"), public("service"), card());
    let (lock_nonce, owner_nonce) = (nonce("lock's nonce, provision"), nonce("owner's nonce, provision"));
    let provision = Provision { lock_nonce, owner_nonce, owner, service };
    let sealed = digest(&forge::tagged(&provision, &card));
    let id = lock("lock");
    let tag = forge::card_tag(&card, &sealed, id);
    (provision, Provisioned { lock: id, epoch: Epoch::FIRST, owner, service, slots: SLOTS, card: tag })
}

fn provisions() -> Vec<Sample> {
    let (provision, provisioned) = provision();
    let reset = FactoryReset { lock: lock("lock"), nonce: nonce("lock's nonce, reset") };
    vec![
        tagged("a factory-fresh lock", &provision, ("card", &card())),
        signed("that lock", &provisioned, "lock"),
        tagged("that lock", &reset, ("card", &card())),
    ]
}

/// Every sample.
pub fn all() -> &'static [Sample] {
    static ALL: std::sync::LazyLock<Vec<Sample>> = std::sync::LazyLock::new(|| {
        let signed = [grants(), withdrawals(), connects(), downloads(), unlocks(), orders(), refusals(), provisions()];
        let mut all = [signed.concat(), super::sample_reports::reports()].concat();
        all.sort_by_key(|sample| sample.kind.byte());
        all
    });
    &ALL
}

/// The keys of the samples.
pub fn keys_json() -> Value {
    let mut keys = keys::signing(&["owner", "service", "lock", "subject", "device", "next owner", "next service"]);
    keys["pairing"] = keys::secret(&pairing());
    keys["card"] = keys::secret(&card());
    for name in ["guest's agreement", "lock's agreement"] {
        let (secret, public) = (keys::agreement_secret(name), agreement(name));
        keys[name] = json!({ "type": "X25519", "secret": hex(secret.expose()), "public": hex(public.as_bytes()) });
    }
    keys
}
