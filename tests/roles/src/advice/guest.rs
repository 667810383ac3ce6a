//! What a guest's phone refuses.

use sharekey::crypto::AgreementKey;
use sharekey::error::{RefuseReason, Retry};
use sharekey::guest::Account;
use sharekey::id::{LockId, SlotId};
use sharekey::limits::Action;
use sharekey::lock::{Cell, purpose};
use sharekey::message::{Grant, Receipt, RefusedBody};
use sharekey::secret::Seed;
use sharekey::wire::{Kind, Unverified};
use sharekey_stage::provider::Provider;
use sharekey_stage::world::{ANA, BEN, OLGA, World, digest, key_of, seed};
use sharekey_stage::{bad, forge};

use super::{Case, Found, Play, stopped, told};
use crate::counting::Counting;

/// Ana downloads, and at first gets another answer to her bundle than the lock's.
macro_rules! answered {
    ($code:literal, |$play:ident, $receipt:ident| $answer:expr) => {
        (&[$code], Play::claimed, |$play| {
            if !$play.first() {
                return $play.opens();
            }
            let (session, asked, release) = $play.w.released(&mut $play.ana);
            let download = asked.bundle(&Provider, &release).unwrap();
            let $receipt = $play.w.door.install(session, download.bundle()).unwrap();
            let answer = $answer;
            download.finish(&Provider, &answer).map(drop).map_err(told)
        })
    };
}

/// The lock's receipt with another content, under its key.
fn forged(play: &Play, receipt: &[u8], change: impl FnOnce(&mut Receipt)) -> Vec<u8> {
    let key = forge::derived(&play.w.door.store.get(Cell::Seed).unwrap()[5..37], forge::label::LOCK_KEY);
    let mut body = *Unverified::<Receipt>::parse(receipt).unwrap().claims();
    change(&mut body);
    forge::signed(&body, &Seed::from_bytes(key))
}

fn spoilt(message: &[u8]) -> Vec<u8> {
    let mut bytes = message.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    bytes
}

/// Claims the grant that is shared, altered on its way to the phone the first time.
fn claims(play: &mut Play, alter: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<(), Found> {
    let mut grant = play.w.tape.last(Kind::Grant);
    if play.first() {
        grant = alter(&grant);
    } else if play.ana.claimed.is_some() {
        return play.opens();
    }
    play.ana.claim(&grant).map_err(told)
}

pub const CASES: &[Case] = &[
    (&["Guest.Wire"], Play::shared, |play| claims(play, |grant| grant[..50].to_vec())),
    (&["Guest.NotTheSubject"], Play::shared, |play| {
        let byte = if play.first() { BEN } else { ANA };
        play.w.guest(byte).claim(&play.w.tape.last(Kind::Grant)).map_err(told)
    }),
    (&["Guest.LockKey"], Play::shared, |play| {
        let grant = *Unverified::<Grant>::parse(&play.w.tape.last(Kind::Grant)).unwrap().claims();
        let no_lock = Grant { lock: LockId::new(bad::keys()[0].0), ..grant };
        kept_and_claimed(play, &forge::signed(&no_lock, &seed(OLGA)))
    }),
    (&["Guest.GrantSignature"], Play::shared, |play| {
        let grant = spoilt(&play.w.tape.last(Kind::Grant));
        kept_and_claimed(play, &grant)
    }),
    (&["Guest.WrongLock"], Play::claimed, |play| {
        if !play.first() {
            return play.opens();
        }
        let (challenge, _) = World::active_at(2).door.connect::<purpose::Install>();
        play.ana.ask(&challenge).map(drop).map_err(told)
    }),
    (&["Guest.ReleaseNamesOtherInstall"], Play::claimed, |play| {
        if !play.first() {
            return play.opens();
        }
        let (.., old) = play.w.released(&mut play.ana);
        let (_, asked, _) = play.w.released(&mut play.ana);
        asked.bundle(&Provider, &old).map(drop).map_err(told)
    }),
    answered!("Guest.ReceiptSignature", |play, receipt| spoilt(&receipt)),
    answered!("Guest.ReceiptNamesOtherInstall", |play, receipt| {
        forged(play, &receipt, |body| body.install = forge::some_digest(1))
    }),
    answered!("Guest.ReceiptDoesNotFit", |play, receipt| forged(play, &receipt, |body| body.slot = SlotId::new(2))),
    answered!("Guest.NonContributory", |play, receipt| {
        forged(play, &receipt, |body| body.agreement = AgreementKey::from_bytes([0; 32]))
    }),
    answered!("Guest.RefusalSignature", |play, receipt| {
        let body = RefusedBody { request: digest(&receipt), reason: RefuseReason::Expired };
        forge::signed(&body, &seed(BEN))
    }),
    (&["Guest.ReplyMac"], Play::downloaded, |play| {
        if !play.first() {
            return play.opens();
        }
        let (session, unlock, awaiting) = play.w.asked(&mut play.ana, Action::Open);
        let reply = play.w.door.unlock(session, &unlock).unwrap();
        play.ana.key().check_reply(&Provider, &awaiting, &spoilt(&reply)).map(drop).map_err(told)
    }),
    (&["Guest.ReplyToOther"], Play::downloaded, |play| {
        if !play.first() {
            return play.opens();
        }
        play.opens().unwrap();
        let (session, unlock, awaiting) = play.w.asked(&mut play.ana, Action::Open);
        let old = play.w.tape.last(Kind::Reply);
        play.w.door.unlock(session, &unlock).unwrap();
        play.ana.key().check_reply(&Provider, &awaiting, &old).map(drop).map_err(told)
    }),
    (&["Guest.Seal.Provider"], Play::shared, |play| {
        let weary = Counting::weary(play.first());
        let account = Account::from_seed(&weary, &seed(ANA)).unwrap();
        let grant = play.w.tape.last(Kind::Grant);
        account.claim(&weary, &grant, None, &mut play.ana.rng).map(drop).map_err(told)
    }),
];

/// A phone that knows the owner keeps what it was given, until it drops it, and claims that.
fn kept_and_claimed(play: &mut Play, given: &[u8]) -> Result<(), Found> {
    if !play.did(Retry::FetchGrant) {
        return play
            .ana
            .account
            .claim(&Provider, given, Some(&key_of(OLGA)), &mut play.ana.rng)
            .map(drop)
            .map_err(told);
    }
    play.w.download(&mut play.ana).map_err(stopped)
}
