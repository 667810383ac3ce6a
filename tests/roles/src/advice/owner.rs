//! What an owner's phone refuses.

use sharekey::counter::{Generation, Term};
use sharekey::error::{RefuseReason, Retry};
use sharekey::id::{AccountId, LockId, SlotId};
use sharekey::limits::{Action, Limits, Rights};
use sharekey::lock::{Cell, purpose};
use sharekey::message::{
    Done, Grant, Provisioned, RefusedBody, Report, ReportAnswer, Withdraw, Withdrawn, WithdrawnOutcome,
};
use sharekey::owner::{Method, Order, Owner};
use sharekey::secret::{ActivationSecret, Seed};
use sharekey::slot::GrantRef;
use sharekey::wire::{Kind, Unverified};
use sharekey_stage::forge::report_of;
use sharekey_stage::provider::Provider;
use sharekey_stage::world::cloud::Cloud;
use sharekey_stage::world::{
    ANA, BEN, CLOUD, HALL, OLGA, OTHER_CLOUD, OTTO, STUDIO, Stop, World, digest, key_of, rng, seed,
};
use sharekey_stage::{bad, forge};

use super::{Case, Found, Play, stopped, told};
use crate::counting::Counting;

/// Olga takes a message in: at first one that was altered on its way.
macro_rules! learns {
    ($code:literal, $kind:expr) => {
        (&[$code], everything, |play| {
            let mut message = play.w.tape.last($kind);
            if play.first() {
                *message.last_mut().unwrap() ^= 1;
            }
            play.w.olga.learn(&message).map(drop).map_err(told)
        })
    };
}

/// Olga asks for a report, and at first another answer comes than the service's.
macro_rules! reported {
    ($code:literal, |$report:ident, $messages:ident| $other:expr) => {
        (&[$code], everything, |play| {
            let (request, pending) = play.w.olga.ask(HALL).unwrap();
            let answer = play.w.cloud.report(&request).unwrap();
            let parts = ReportAnswer::parse(&answer).unwrap();
            let ($report, $messages) = (parts.report.to_vec(), parts.messages().collect::<Vec<&[u8]>>());
            let answer = if play.first() { $other } else { answer.clone() };
            play.w.olga.change(|owner, view, _| owner.see(view, pending, &answer)).map(drop).map_err(told)
        })
    };
}

/// The service signs that these are the messages of this slot.
fn renamed(report: &[u8], messages: &[&[u8]], slot: SlotId) -> Vec<u8> {
    let body = *Unverified::<Report>::parse(report).unwrap().claims();
    report_of(Report { slot, ..body }, messages, &seed(CLOUD))
}

/// Olga orders, and at first another answer comes than the lock's.
macro_rules! answered {
    ($code:literal, |$play:ident, $command:ident| $answer:expr) => {
        (&[$code], Play::active, |$play| {
            let (session, $command, pending) = $play.w.ordered(Order::Inspect { slot: HALL });
            let mut answer = $play.w.door.command(session, &$command).unwrap();
            if $play.first() {
                answer = $answer;
            }
            $play.w.olga.change(|owner, view, _| pending.finish(owner, view, &answer)).map(drop).map_err(told)
        })
    };
}

/// Olga provisions a lock, and at first another answer comes than the lock's, or one that is not about this.
macro_rules! provisioned {
    ($code:literal, |$play:ident, $answer:ident| $other:expr) => {
        (&[$code], super::lock::fresh, |$play| {
            let World { door, cloud, olga, .. } = &mut $play.w;
            let card = ActivationSecret::from_bytes(door.card);
            let (challenge, session) = door.connect::<purpose::Operate>();
            let made = olga.owner.provision(&card, &challenge, cloud.key(), &mut olga.rng);
            let (message, pending) = made.unwrap();
            let $answer = door.provision(session, &message).unwrap();
            let answer = if $play.tries == 0 { $other } else { $answer };
            pending.finish(&$play.w.olga.owner, &answer).map(drop).map_err(told)
        })
    };
}

/// There was a download, a withdrawal and an inspection.
fn everything() -> Play {
    let mut play = Play::downloaded();
    play.w.withdraw(HALL).unwrap();
    let World { olga, door, cloud, .. } = &mut play.w;
    olga.inspect(door, cloud, HALL).unwrap();
    play
}

fn lock_key(play: &Play) -> Seed {
    let record = play.w.door.store.get(Cell::Seed).unwrap();
    Seed::from_bytes(forge::derived(&record[5..37], forge::label::LOCK_KEY))
}

fn shares(play: &mut Play, subject: sharekey::crypto::PublicKey) -> Result<(), Found> {
    play.w.olga.sign(HALL, subject, Rights::OPEN, Limits::NONE).map(drop).map_err(told)
}

/// Bought from Olga, under a service that is not Otto's.
fn bought() -> Play {
    let mut play = Play::active();
    let other = Cloud::new(OTHER_CLOUD, &play.w.tape);
    play.w.olga.transfer(&mut play.w.door, key_of(OTTO), other.key()).unwrap();
    play
}

pub const CASES: &[Case] = &[
    (&["Owner.Busy"], Play::shared, |play| {
        let owner = &play.w.olga.owner;
        let mut view = play.w.olga.view().clone();
        if play.tries == 0 {
            // The store answers between the two attempts.
            drop(owner.withdraw(&mut view, HALL).unwrap().detach());
        }
        owner.withdraw(&mut view, HALL).map(drop).map_err(told)
    }),
    (&["Owner.Wire"], everything, |play| {
        let message = play.w.tape.last(Kind::Done);
        let length = if play.first() { 60 } else { message.len() };
        play.w.olga.learn(&message[..length]).map(drop).map_err(told)
    }),
    (&["Owner.NotOwner"], Play::active, |play| {
        let mut view = play.w.olga.view().clone();
        let owner = Owner::new(Provider, &seed(if play.first() { OTTO } else { OLGA })).unwrap();
        owner.share(&mut view, HALL, key_of(ANA), Method::Account, Rights::OPEN, Limits::NONE).map(drop).map_err(told)
    }),
    (&["Owner.WrongLock"], Play::active, |play| {
        let mut other = World::active_at(2);
        let door = if play.first() { &mut other.door } else { &mut play.w.door };
        let (challenge, _) = door.connect::<purpose::Operate>();
        play.w.olga.sign_order(Order::Inspect { slot: HALL }, &challenge).map(drop).map_err(told)
    }),
    (&["Owner.WrongEpoch"], Play::downloaded, |play| {
        // Out of a report of before a transfer that this phone knows of.
        let World { olga, door, cloud, tape } = &mut play.w;
        if play.tries == 0 {
            let done = olga.transfer(door, key_of(OLGA), key_of(CLOUD)).unwrap();
            cloud.hear(&done).unwrap();
            olga.activate(door, cloud, HALL).unwrap();
        }
        if olga.view().status(HALL).as_of.is_some() {
            return Ok(());
        }
        olga.learn(&tape.last(Kind::Receipt)).map(drop).map_err(told)
    }),
    (&["Owner.OldEpoch"], Play::active, |play| {
        let World { olga, door, .. } = &mut play.w;
        if play.tries == 0 {
            let done = olga.transfer(door, key_of(OLGA), key_of(CLOUD)).unwrap();
            return olga.learn(&done).map(drop).map_err(told);
        }
        assert_eq!(olga.view().epoch().value(), 2);
        Ok(())
    }),
    (&["Owner.LockKey"], super::lock::fresh, |play| {
        let (mut challenge, _) = play.w.door.connect::<purpose::Operate>();
        if play.first() {
            challenge[4..36].copy_from_slice(&[0; 32]);
        }
        let World { olga, cloud, door, .. } = &mut play.w;
        let card = ActivationSecret::from_bytes(door.card);
        olga.owner.provision(&card, &challenge, cloud.key(), &mut olga.rng).map(drop).map_err(told)
    }),
    (&["Owner.OwnerKey"], Play::active, |play| {
        let owner = if play.first() { bad::keys()[0].0 } else { key_of(OTTO) };
        play.w.olga.transfer(&mut play.w.door, owner, key_of(CLOUD)).map(drop).map_err(stopped)
    }),
    (&["Owner.ServiceKey"], Play::active, |play| {
        let service = if play.first() { bad::keys()[0].0 } else { key_of(CLOUD) };
        play.w.olga.transfer(&mut play.w.door, key_of(OTTO), service).map(drop).map_err(stopped)
    }),
    (&["Owner.SubjectKey"], Play::active, |play| {
        let subject = if play.first() { bad::keys()[0].0 } else { key_of(ANA) };
        shares(play, subject)
    }),
    (&["Owner.UnknownContact"], Play::active, |play| {
        let id: AccountId = if play.first() { "anna" } else { "ana@example" }.parse().unwrap();
        let Play { w, book, .. } = play;
        w.olga
            .change(|owner, view, _| {
                owner.share_with_unverified_contact(view, HALL, (book, &id), Rights::OPEN, Limits::NONE)
            })
            .map(drop)
            .map_err(told)
    }),
    (&["Owner.UnverifiedContact"], Play::active, |play| {
        if play.did(Retry::CompareKeys) {
            play.book.verify_key(&"ana@example".parse().unwrap(), &key_of(ANA + 1)).unwrap();
        }
        let Play { w, book, .. } = play;
        let ana = (&*book, &"ana@example".parse().unwrap());
        w.olga
            .change(|owner, view, _| owner.share_with_verified_contact(view, HALL, ana, Rights::OPEN, Limits::NONE))
            .map(drop)
            .map_err(told)
    }),
    (&["Owner.WrongOwner"], bought, |play| {
        let done = play.w.tape.last(Kind::Done);
        let (role, lock) = (if play.first() { BEN } else { OTTO }, play.w.door.id());
        let owner = Owner::new(Provider, &seed(role)).unwrap();
        owner.adopt(lock, &key_of(OTHER_CLOUD), &done).map(drop).map_err(told)
    }),
    (&["Owner.WrongService"], bought, |play| {
        let (done, lock) = (play.w.tape.last(Kind::Done), play.w.door.id());
        if play.otto.view.is_none() {
            return play.otto.adopt(lock, key_of(CLOUD), &done).map_err(told);
        }
        play.otto.act(&mut play.w.door, Action::Open).map_err(stopped)
    }),
    provisioned!("Owner.ProvisionedSignature", |play, answer| spoilt(&answer)),
    provisioned!("Owner.CardTag", |play, answer| {
        let mut body = *Unverified::<Provisioned>::parse(&answer).unwrap().claims();
        body.card = forge::card_tag(&[9; 16], &forge::some_digest(1), body.lock);
        forge::signed(&body, &lock_key(play))
    }),
    learns!("Owner.DoneSignature", Kind::Done),
    (&["Owner.UnknownSigner"], everything, |play| {
        let mut body = *Unverified::<Grant>::parse(&play.w.tape.last(Kind::Grant)).unwrap().claims();
        body.by = if play.first() { Term::new(1) } else { Term::OWNER };
        play.w.olga.learn(&forge::signed(&body, &seed(OLGA))).map(drop).map_err(told)
    }),
    learns!("Owner.GrantSignature", Kind::Grant),
    learns!("Owner.ReceiptSignature", Kind::Receipt),
    learns!("Owner.WithdrawnSignature", Kind::Withdrawn),
    (&["Owner.WithdrawSignature"], everything, |play| {
        let mut body = *Unverified::<Withdrawn>::parse(&play.w.tape.last(Kind::Withdrawn)).unwrap().claims();
        if play.first() {
            body.withdraw.grant = forge::some_digest(1);
        }
        play.w.olga.learn(&forge::signed(&body, &seed(CLOUD))).map(drop).map_err(told)
    }),
    reported!("Owner.ReportSignature", |report, messages| ReportAnswer::encode(&spoilt(&report), &messages)),
    reported!("Owner.OtherRequest", |report, messages| {
        let body = *Unverified::<Report>::parse(&report).unwrap().claims();
        let other = Report { request: forge::some_digest(1), ..body };
        ReportAnswer::encode(&forge::signed(&other, &seed(CLOUD)), &messages)
    }),
    reported!("Owner.OtherMessages", |report, messages| ReportAnswer::encode(&report, &messages[1..])),
    reported!("Owner.NoOwnership", |report, messages| renamed(&report, &messages[1..], HALL)),
    reported!("Owner.WrongSlot", |report, messages| renamed(&report, &messages, STUDIO)),
    answered!("Owner.OtherCommand", |play, _command| {
        let done = *Unverified::<Done>::parse(&play.w.tape.last(Kind::Done)).unwrap().claims();
        forge::signed(&Done { command: forge::some_digest(1), ..done }, &lock_key(play))
    }),
    answered!("Owner.RefusalSignature", |play, command| {
        let body = RefusedBody { request: digest(&command), reason: RefuseReason::StaleNumber };
        forge::signed(&body, &seed(BEN))
    }),
    answered!("Owner.RefusedOther", |play, _command| {
        let body = RefusedBody { request: forge::some_digest(1), reason: RefuseReason::StaleNumber };
        forge::signed(&body, &lock_key(play))
    }),
    (&["Owner.NotATransfer"], bought, |play| {
        let kind = play.w.tape.all(Kind::Done);
        let done = if play.first() { &kind[0] } else { kind.last().unwrap() };
        play.otto.owner.adopt(play.w.door.id(), &key_of(OTHER_CLOUD), done).map(drop).map_err(told)
    }),
    (&["Owner.NothingToLearn"], everything, |play| {
        let kind = if play.first() { Kind::Claim } else { Kind::Receipt };
        play.w.olga.learn(&play.w.tape.last(kind)).map(drop).map_err(told)
    }),
    (&["Owner.NoSuchSlot"], Play::active, |play| {
        let slot = if play.first() { SlotId::new(200) } else { STUDIO };
        let challenge = play.w.door.connect::<purpose::Operate>().0;
        play.w.olga.sign_order(Order::Deactivate { slot }, &challenge).map(drop).map_err(told)
    }),
    (&["Owner.NothingShared"], Play::active, |play| {
        if play.first() {
            return play.w.olga.sign_withdrawal(HALL).map(drop).map_err(told);
        }
        assert!(play.w.olga.view().status(HALL).shared.is_none());
        Ok(())
    }),
    (&["Owner.UnknownGrant"], super::service::restored, |play| {
        // This phone has not heard of what the other one shared.
        let shared = play.w.olga.view().status(HALL).shared.unwrap().key;
        let twin = play.twin.as_mut().unwrap();
        twin.change(|owner, view, _| owner.withdraw_key(view, HALL, shared)).map(drop).map_err(told)
    }),
    (&["Owner.OlderReport"], Play::active, |play| {
        if play.did(Retry::Refresh) {
            return Ok(());
        }
        // Over a store that brings an older copy back.
        let older = play.w.cloud.records.clone();
        play.w.activate(HALL).unwrap();
        play.w.sync();
        let newer = std::mem::replace(&mut play.w.cloud.records, older);
        let refused = play.w.olga.see(&mut play.w.cloud, HALL).map(drop);
        play.w.cloud.records = newer;
        refused.map_err(|stop| match stop {
            Stop::Owner(error) => told(error),
            other => panic!("{other:?}"),
        })
    }),
    (&["Owner.Limits"], Play::active, |play| {
        let rights = if play.first() { Rights::LOCK } else { Rights::OPEN };
        let guest = play.w.guest(ANA);
        play.w.share_with(HALL, &guest, rights, Limits::NONE.uses(1).unwrap()).map(drop).map_err(stopped)
    }),
    (&["Owner.Slot.NotActive"], closed, |play| shares(play, key_of(ANA))),
    (&["Owner.Slot.AlreadyShared"], Play::shared, |play| shares(play, key_of(BEN))),
    (&["Owner.Slot.LiveFull"], super::service::full, |play| shares(play, key_of(BEN))),
    (&["Owner.Slot.Exhausted"], Play::active, |play| {
        if play.first() {
            let far = GrantRef { generation: Generation::MAX, grant: forge::some_digest(1) };
            let withdrawn = never_released(play, far);
            let _ = play.w.olga.learn(&withdrawn).unwrap();
        }
        shares(play, key_of(ANA))
    }),
    (&["Owner.Seal.Provider"], Play::active, |play| {
        let mut view = play.w.olga.view().clone();
        let weary = Counting::weary(play.first());
        let owner = Owner::new(weary, &seed(OLGA)).unwrap();
        let (challenge, _) = play.w.door.connect::<purpose::Operate>();
        owner.order(&mut view, Order::Inspect { slot: HALL }, &challenge, &mut rng(1)).map(drop).map_err(told)
    }),
];

fn spoilt(message: &[u8]) -> Vec<u8> {
    let mut bytes = message.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    bytes
}

/// What a service says of a grant that nobody made.
fn never_released(play: &Play, key: GrantRef) -> Vec<u8> {
    let GrantRef { generation, grant } = key;
    let (lock, epoch): (LockId, _) = (play.w.door.id(), play.w.olga.view().epoch());
    let withdraw = Withdraw { lock, epoch, by: Term::OWNER, slot: HALL, generation, grant };
    let outcome = WithdrawnOutcome::NeverReleased;
    // Another phone of hers asked for it.
    let withdraw_signature = forge::last_signature(&forge::signed(&withdraw, &seed(OLGA)));
    forge::signed(&Withdrawn { withdraw, withdraw_signature, outcome }, &seed(CLOUD))
}

/// Nobody opened a slot yet.
fn closed() -> Play {
    let w = World::provisioned(1);
    let ana = w.guest(ANA);
    Play::of((w, ana))
}
