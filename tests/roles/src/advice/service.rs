//! What a service refuses.

use base64ct::{Base64UrlUnpadded, Encoding};
use sharekey::counter::Term;
use sharekey::id::{SlotCount, SlotId};
use sharekey::limits::{Limits, Rights, Timestamp};
use sharekey::lock::purpose;
use sharekey::message::{Provisioned, ReportRequest, Withdraw};
use sharekey::owner::Order;
use sharekey::service::{LockRecord, Service};
use sharekey::slot::MAX_LIVE;
use sharekey::wire::{Kind, Unverified};
use sharekey_stage::desk::NOW;
use sharekey_stage::forge;
use sharekey_stage::provider::Provider;
use sharekey_stage::rows::reopen;
use sharekey_stage::store::stored;
use sharekey_stage::world::phone::Phone;
use sharekey_stage::world::{ANA, BEN, CLOUD, HALL, OLGA, OTHER_CLOUD, STUDIO, World, key_of, seed};

use super::{Case, Found, Play, stopped, told};

fn spoilt(message: &[u8]) -> Vec<u8> {
    let mut bytes = message.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    bytes
}

/// The phone that tries shares the hall with Ben.
fn shares(play: &mut Play) -> Result<(), Found> {
    let World { olga, cloud, .. } = &mut play.w;
    let phone = play.twin.as_mut().unwrap_or(olga);
    phone.share(cloud, HALL, key_of(BEN), Rights::OPEN, Limits::NONE).map(drop).map_err(stopped)
}

/// As [`shares`], with a grant that the view has by now, which goes to the service again.
fn publishes(play: &mut Play) -> Result<(), Found> {
    let World { olga, cloud, door, tape } = &mut play.w;
    if olga.view().status(HALL).shared.is_none() {
        olga.sign(HALL, key_of(BEN), Rights::OPEN, Limits::NONE).unwrap();
    }
    cloud.take((door.id(), HALL), &tape.last(Kind::Grant)).map(drop).map_err(told)
}

/// The lock belongs to Olga in another ownership, of which the service does not know.
fn taken_over() -> Play {
    let mut play = Play::active();
    let World { olga, door, .. } = &mut play.w;
    olga.transfer(door, key_of(OLGA), key_of(CLOUD)).unwrap();
    drop(olga.order(door, Order::Activate { slot: HALL }).unwrap());
    play
}

/// The lock was sold, and the service does not know the new owner.
fn sold() -> Play {
    let mut play = Play::active();
    let World { olga, door, tape, .. } = &mut play.w;
    let mut otto = Phone::new(sharekey_stage::world::OTTO, tape);
    let done = olga.transfer(door, otto.key(), key_of(CLOUD)).unwrap();
    otto.adopt(door.id(), key_of(CLOUD), &done).unwrap();
    drop(otto.order(door, Order::Activate { slot: HALL }).unwrap());
    *olga = otto;
    play
}

/// Ana claimed; then the lock went to another service and came back, of which this one was only told the first.
fn came_back() -> Play {
    let mut play = Play::claimed();
    let World { olga, door, cloud, .. } = &mut play.w;
    let gone = olga.transfer(door, key_of(OLGA), key_of(OTHER_CLOUD)).unwrap();
    cloud.hear(&gone).unwrap();
    olga.transfer(door, key_of(OLGA), key_of(CLOUD)).unwrap();
    play
}

/// The service has nothing of the lock: it was out when the owner provisioned it, say.
fn untold() -> Play {
    let mut play = Play::active();
    play.w.cloud.records.clear();
    play
}

/// The service's store was restored from a backup, and marked.
fn from_backup() -> Play {
    let mut play = Play::active();
    let World { cloud, door, .. } = &mut play.w;
    let mut lock = cloud.record((door.id(), HALL)).of_lock().clone();
    let Ok(_) = cloud.service.restored(&mut lock).unwrap().commit(stored);
    cloud.records.insert((door.id(), None), lock.to_bytes());
    play
}

/// The third slot.
const CELLAR: SlotId = SlotId::new(2);

/// The lock has more slots than it said to the service, and the owner activated one of them while the service was out.
fn grown() -> Play {
    let mut play = Play::active();
    let World { olga, cloud, door, tape } = &mut play.w;
    let body = *Unverified::<Provisioned>::parse(&tape.last(Kind::Provisioned)).unwrap().claims();
    let fewer = Provisioned { slots: SlotCount::new(2).unwrap(), ..body };
    let mut stored = serde_json::to_value(cloud.record((door.id(), HALL)).of_lock()).unwrap();
    stored["slots"] = 2.into();
    stored["statement"] = Base64UrlUnpadded::encode_string(&forge::signed(&fewer, &seed(90))).into();
    let lock: LockRecord = serde_json::from_value(stored).unwrap();
    cloud.records.insert((door.id(), None), lock.to_bytes());
    let _ = olga.order(door, Order::Activate { slot: CELLAR }).unwrap();
    olga.sign(CELLAR, key_of(BEN), Rights::OPEN, Limits::NONE).unwrap();
    play
}

/// As many keys may open as the record has room for, each released and none downloaded.
pub fn full() -> Play {
    let mut play = Play::active();
    for byte in 0..u8::try_from(MAX_LIVE).unwrap() {
        let mut guest = play.w.guest(100 + byte);
        play.w.claims(HALL, &mut guest);
        let _released = play.w.released(&mut guest);
        play.w.withdraw(HALL).unwrap();
    }
    play
}

/// A phone that was restored from a copy of before the last grant.
pub fn restored() -> Play {
    let mut play = Play::active();
    let before = play.w.olga.twin();
    play.w.share(HALL, &play.ana).unwrap();
    play.twin = Some(before);
    play
}

/// The same, but the phone has used numbers up for orders that it never sent.
fn restored_beyond(play: fn() -> Play, numbers: usize) -> Play {
    let mut play = play();
    let mut twin = play.twin.take().unwrap();
    for _ in 0..numbers {
        let (challenge, _) = play.w.door.connect::<purpose::Operate>();
        twin.sign_order(Order::Activate { slot: HALL }, &challenge).unwrap();
    }
    play.twin = Some(twin);
    play
}

/// A phone that knows of none of the keys that fill the record.
fn full_unknown() -> Play {
    let before = World::active().olga.twin();
    let mut play = full();
    play.twin = Some(before);
    play
}

/// Ana claimed, and Olga took the share back and shared anew with her.
fn shared_anew() -> Play {
    let mut play = Play::claimed();
    play.w.withdraw(HALL).unwrap();
    play.w.share(HALL, &play.ana).unwrap();
    play
}

/// A message is brought to the service, at first altered on its way.
macro_rules! brought {
    ($code:literal, |$play:ident, $message:ident| $bring:expr, $kind:expr) => {
        (&[$code], Play::downloaded, |$play| {
            let mut $message = $play.w.tape.last($kind);
            if $play.first() {
                $message = spoilt(&$message);
            }
            $bring.map(drop).map_err(told)
        })
    };
}

/// Olga asks for a report, at first by another request.
fn asks(play: &mut Play, other: fn(ReportRequest, bool) -> ReportRequest) -> Result<(), Found> {
    let (request, _pending) = play.w.olga.ask(HALL).unwrap();
    let body = other(*Unverified::parse(&request).unwrap().claims(), play.first());
    let request = forge::signed(&body, &seed(OLGA));
    play.w.cloud.report(&request).map(drop).map_err(told)
}

pub const CASES: &[Case] = &[
    (&["Service.Busy"], Play::downloaded, |play| {
        let (mut record, receipt) = (play.w.record(HALL).clone(), play.w.tape.last(Kind::Receipt));
        let service = &play.w.cloud.service;
        if play.tries == 0 {
            // The store answers between the two attempts.
            drop(service.confirm(&mut record, &receipt).unwrap().detach());
        }
        service.confirm(&mut record, &receipt).map(drop).map_err(told)
    }),
    (&["Service.Wire"], Play::downloaded, |play| {
        let (place, mut receipt) = (play.w.place(HALL), play.w.tape.last(Kind::Receipt));
        receipt.truncate(if play.first() { 60 } else { receipt.len() });
        play.w.cloud.take(place, &receipt).map(drop).map_err(told)
    }),
    (&["Service.WrongLock"], Play::active, |play| {
        if play.first() {
            let grant = play.w.olga.sign(HALL, key_of(BEN), Rights::OPEN, Limits::NONE).unwrap();
            let mut other = World::active_at(2);
            let place = other.place(HALL);
            return other.cloud.take(place, &grant).map(drop).map_err(told);
        }
        publishes(play)
    }),
    (&["Service.WrongSlot"], Play::downloaded, |play| {
        let place = play.w.place(if play.first() { STUDIO } else { HALL });
        play.w.cloud.take(place, &play.w.tape.last(Kind::Receipt)).map(drop).map_err(told)
    }),
    (&["Service.WrongEpoch"], taken_over, publishes),
    (&["Service.GrantSignature"], sold, publishes),
    (&["Service.WithdrawSignature"], sold, |play| {
        let World { olga, cloud, door, .. } = &mut play.w;
        let (lock, epoch) = (door.id(), olga.view().epoch());
        let grant = forge::some_digest(1);
        let body = Withdraw {
            lock,
            epoch,
            by: Term::OWNER,
            slot: HALL,
            generation: sharekey::counter::Generation::new(9),
            grant,
        };
        let withdraw = forge::signed(&body, &seed(sharekey_stage::world::OTTO));
        cloud.take((lock, HALL), &withdraw).map(drop).map_err(told)
    }),
    (&["Service.UnknownSigner"], Play::active, |play| {
        asks(play, |body, first| ReportRequest { by: if first { Term::new(1) } else { Term::OWNER }, ..body })
    }),
    (&["Service.RequestSignature"], sold, |play| {
        let (request, _pending) = play.w.olga.ask(HALL).map_err(told)?;
        play.w.cloud.report(&request).map(drop).map_err(told)
    }),
    (&["Service.RequestTime"], Play::active, |play| {
        const WRONG: Timestamp = Timestamp::from_unix_seconds(NOW.unix_seconds() + 301);
        asks(play, |body, first| ReportRequest { time: if first { WRONG } else { NOW }, ..body })
    }),
    (&["Service.Moved"], came_back, Play::opens),
    (&["Service.UnknownLock"], untold, publishes),
    (&["Service.NoSuchSlot"], grown, |play| {
        let (place, grant) = (play.w.place(CELLAR), play.w.tape.last(Kind::Grant));
        play.w.cloud.take(place, &grant).map(drop).map_err(told)
    }),
    (&["Service.Restored"], from_backup, shares),
    (&["Service.OtherService"], Play::active, |play| {
        let statement = play.w.tape.last(Kind::Provisioned);
        let service = Service::new(Provider, &seed(if play.first() { OTHER_CLOUD } else { CLOUD })).unwrap();
        service.open(&statement).map(drop).map_err(told)
    }),
    (&["Service.NotATransfer"], Play::active, |play| {
        let kind = if play.first() { Kind::Done } else { Kind::Provisioned };
        let (mut record, statement) = (play.w.record(HALL), play.w.tape.last(kind));
        reopen(&play.w.cloud.service, &mut record, &statement).map(drop).map_err(told)
    }),
    (&["Service.NotOfASlot"], Play::active, |play| {
        let place = play.w.place(HALL);
        let World { olga, door, cloud, .. } = &mut play.w;
        let order = if play.tries == 0 {
            Order::SetClock { to: sharekey::limits::Timestamp::from_unix_seconds(sharekey_stage::world::door::NOON) }
        } else {
            Order::Inspect { slot: HALL }
        };
        let (done, _) = olga.order(door, order).unwrap();
        cloud.take(place, &done).map(drop).map_err(told)
    }),
    brought!("Service.OwnershipSignature", |play, message| play.w.cloud.hear(&message), Kind::Provisioned),
    brought!(
        "Service.DoneSignature",
        |play, message| {
            let place = play.w.place(HALL);
            play.w.cloud.take(place, &message).or_else(|error| match error {
                sharekey::error::ServiceError::WrongSlot => Ok(Vec::new()),
                error => Err(error),
            })
        },
        Kind::Done
    ),
    brought!(
        "Service.ReceiptSignature",
        |play, message| {
            let place = play.w.place(HALL);
            play.w.cloud.take(place, &message)
        },
        Kind::Receipt
    ),
    (&["Service.OwnerKey"], Play::active, |play| {
        let body = *Unverified::<Provisioned>::parse(&play.w.tape.last(Kind::Provisioned)).unwrap().claims();
        let (lock, key) = (seed(90), sharekey_stage::bad::keys()[0].0);
        let id = sharekey::id::LockId::new(key_of(90));
        let owner = if play.first() { key } else { body.owner };
        let statement = forge::signed(&Provisioned { lock: id, owner, ..body }, &lock);
        play.w.cloud.service.open(&statement).map(drop).map_err(told)
    }),
    (&["Service.SubjectKey"], Play::active, |play| {
        let lock = play.w.door.id();
        let subject = if play.first() { sharekey_stage::bad::keys()[0].0 } else { key_of(ANA) };
        let generation = sharekey::counter::Generation::new(if play.first() { 5 } else { 6 });
        let epoch = play.w.olga.view().epoch();
        let (rights, limits) = (Rights::OPEN, Limits::NONE);
        let body =
            sharekey::message::Grant { lock, epoch, by: Term::OWNER, slot: HALL, generation, subject, rights, limits };
        play.w.cloud.take((lock, HALL), &forge::signed(&body, &seed(OLGA))).map(drop).map_err(told)
    }),
    (&["Service.NothingShared"], Play::claimed, |play| {
        if play.first() {
            play.w.withdraw(HALL).unwrap();
        }
        play.opens()
    }),
    (&["Service.ClaimNamesOtherGrant"], shared_anew, Play::opens),
    (&["Service.ClaimSignature"], Play::claimed, |play| releases(play, Part::Claim)),
    (&["Service.InstallNamesOtherClaim"], Play::claimed, |play| {
        if play.first() {
            let (_, asked) = play.w.asks(&mut play.ana);
            let mut other = play.w.guest(ANA);
            other.rng = sharekey_stage::world::rng(77);
            other.claim(&play.w.tape.last(Kind::Grant)).unwrap();
            let place = play.w.place(HALL);
            return play.w.cloud.take(place, (other.claimed().claim(), asked.install())).map(drop).map_err(told);
        }
        play.opens()
    }),
    (&["Service.InstallSignature"], Play::claimed, |play| releases(play, Part::Install)),
    (&["Service.Slot.NotActive"], Play::active, |play| {
        if play.first() {
            let World { olga, door, cloud, .. } = &mut play.w;
            olga.deactivate(door, cloud, HALL).unwrap();
            // Of this the service is not told.
            drop(olga.order(door, Order::Activate { slot: HALL }).unwrap());
        }
        let World { olga, cloud, .. } = &mut play.w;
        if olga.view().status(HALL).shared.is_some() {
            return publishes(play);
        }
        olga.share(cloud, HALL, key_of(BEN), Rights::OPEN, Limits::NONE).map(drop).map_err(stopped)
    }),
    (&["Service.Slot.AlreadyShared"], || restored_beyond(restored, 1), shares),
    (&["Service.Slot.StaleNumber"], restored, shares),
    (&["Service.Slot.LiveFull"], || restored_beyond(full_unknown, 20), shares),
    (&["Service.Slot.ClaimedByOtherDevice"], Play::downloaded, |play| {
        if play.first() {
            // A new phone of Ana's.
            play.ana = play.ana.twin(ANA);
        }
        play.opens()
    }),
];

enum Part {
    Claim,
    Install,
}

/// Ana asks for the release of her download, a part of it altered on its way the first time, and opens.
fn releases(play: &mut Play, altered: Part) -> Result<(), Found> {
    if !play.first() {
        return play.opens();
    }
    let (_, asked) = play.w.asks(&mut play.ana);
    let (mut claim, mut install) = (asked.claim().to_vec(), asked.install().to_vec());
    match altered {
        Part::Claim => claim = spoilt(&claim),
        Part::Install => install = spoilt(&install),
    }
    let place = play.w.place(HALL);
    play.w.cloud.take(place, (&claim, &install)).map(drop).map_err(told)
}
