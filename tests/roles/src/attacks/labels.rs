//! Kind and version: no message passes for one of another kind or version, and both stand under
//! the authenticator.

use sharekey::crypto::{Signature, Tag};
use sharekey::error::{GuestError, LockError, OwnerError, ServiceError, WireError};
use sharekey::guest::{AwaitingReply, Installing};
use sharekey::limits::Action;
use sharekey::lock::{Cell, purpose};
use sharekey::message::{Connect, FactoryReset, Release, ReportAnswer};
use sharekey::owner::{Order, PendingCommand, PendingProvision};
use sharekey::secret::{ActivationSecret, Exposed, Seed};
use sharekey::wire::{HEADER_LEN, Kind};
use sharekey_stage::desk::NOW;
use sharekey_stage::hex;
use sharekey_stage::ops::To;
use sharekey_stage::provider::Provider;
use sharekey_stage::rows::reopen;

use super::MISMATCH;
use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::{ANA, BEN, CLOUD, HALL, OLGA, STUDIO, Stop, World, digest, seed};
use sharekey_stage::{forge, nonce_of, public};

/// Everybody waits for something: Ana's key is in the hall, Ben's download of the studio is under
/// way, Olga has ordered and provisioned, Ana has asked to open.
struct Stage {
    w: World,
    ana: Guest,
    ben: Guest,
    installing: Installing,
    release: Vec<u8>,
    pending: PendingCommand,
    provision: PendingProvision,
    awaiting: AwaitingReply,
}

impl Stage {
    fn new() -> Self {
        let (mut w, mut ana) = World::downloaded();
        w.open(&mut ana).unwrap();
        let mut ben = w.guest(BEN);
        w.share(STUDIO, &ben).unwrap();
        w.withdraw(STUDIO).unwrap();
        w.claims(STUDIO, &mut ben);
        let (_session, installing, release) = w.released(&mut ben);
        // A refusal that is signed.
        w.olga.twin().activate(&mut w.door, &mut w.cloud, HALL).unwrap();
        assert!(ana.fetch_colluding(&mut w.door).is_err());
        let mut dora = w.guest(ANA);
        w.sync();
        w.share(HALL, &dora).unwrap();
        w.download(&mut dora).unwrap();

        let (_session, _command, pending) = w.ordered(Order::Inspect { slot: HALL });
        let card = ActivationSecret::from_bytes(w.door.card);
        let challenge = w.tape.last(Kind::Challenge);
        let (message, provision) = w.olga.owner.provision(&card, &challenge, w.cloud.key(), &mut w.olga.rng).unwrap();
        w.tape.note(&message);
        w.tape.note(&Connect::OPERATE);
        let found = dora.account.ask(&Provider, &w.cloud.key(), NOW, &mut dora.rng).unwrap();
        w.tape.note(&found);
        let key = dora.key.as_ref().unwrap();
        let (_unlock, awaiting) = key.unlock(&Provider, &challenge, Action::Open, &mut dora.rng).unwrap();
        let nonce = nonce_of(&challenge);
        w.tape.note(&forge::tagged(&FactoryReset { lock: w.door.id(), nonce }, &w.door.card));
        Self { w, ana: dora, ben, installing, release, pending, provision, awaiting }
    }

    /// Delivers a message to everybody who takes this kind.
    fn deliver(&mut self, kind: Kind, message: &[u8]) -> Vec<Stop> {
        let Self { w, ana, ben, installing, release, pending, provision, awaiting } = self;
        let (hall, studio) = (w.place(HALL), w.place(STUDIO));
        let World { door, cloud, olga, .. } = w;
        let download = installing.bundle(&Provider, release).unwrap();
        let claim = installing.claim();
        let install = installing.install();
        let owner = olga.key();
        let stops: Vec<Result<(), Stop>> = match kind {
            Kind::Grant => vec![
                cloud.take(studio, message).map(drop).map_err(Stop::from),
                olga.learn(message).map(drop).map_err(Stop::from),
                ben.account.claim(&Provider, message, Some(&owner), &mut ben.rng).map(drop).map_err(Stop::from),
            ],
            Kind::Withdraw => vec![cloud.take(studio, message).map(drop).map_err(Stop::from)],
            Kind::Withdrawn => vec![olga.learn(message).map(drop).map_err(Stop::from)],
            Kind::Claim => vec![cloud.take(studio, (message, install)).map(drop).map_err(Stop::from)],
            Kind::Install => vec![cloud.take(studio, (claim, message)).map(drop).map_err(Stop::from)],
            Kind::Release => vec![installing.bundle(&Provider, message).map(drop).map_err(Stop::from)],
            Kind::Receipt => vec![
                cloud.take(hall, message).map(drop).map_err(Stop::from),
                olga.learn(message).map(drop).map_err(Stop::from),
                download.finish(&Provider, message).map(drop).map_err(Stop::from),
            ],
            Kind::Challenge => vec![
                ben.claimed.as_ref().unwrap().install(&Provider, message, &mut ben.rng).map(drop).map_err(Stop::from),
                ana.key().unlock(&Provider, message, Action::Open, &mut ben.rng).map(drop).map_err(Stop::from),
                olga.sign_order(Order::Inspect { slot: HALL }, message).map(drop).map_err(Stop::from),
            ],
            Kind::Reply => vec![ana.key().check_reply(&Provider, awaiting, message).map(drop).map_err(Stop::from)],
            Kind::Done => vec![
                cloud.take(hall, message).map(drop).map_err(Stop::from),
                olga.learn(message).map(drop).map_err(Stop::from),
                olga.change(|owner, view, _| pending.finish(owner, view, message)).map(drop).map_err(Stop::from),
                reopen(&cloud.service, &mut cloud.record(hall), message).map(drop).map_err(Stop::from),
            ],
            Kind::Provisioned => vec![
                reopen(&cloud.service, &mut cloud.record(hall), message).map(drop).map_err(Stop::from),
                provision.finish(&olga.owner, message).map(drop).map_err(Stop::from),
            ],
            Kind::Refused => vec![
                olga.change(|owner, view, _| pending.finish(owner, view, message)).map(drop).map_err(Stop::from),
                download.finish(&Provider, message).map(drop).map_err(Stop::from),
                provision.finish(&olga.owner, message).map(drop).map_err(Stop::from),
                ana.key().check_reply(&Provider, awaiting, message).map(drop).map_err(Stop::from),
            ],
            Kind::ReportRequest => vec![cloud.report(message).map(drop).map_err(Stop::from)],
            Kind::Report => {
                let (_request, pending) = olga.ask(HALL).unwrap();
                let answer = ReportAnswer::encode(message, &[]);
                vec![olga.change(|owner, view, _| owner.see(view, pending, &answer)).map(drop).map_err(Stop::from)]
            }
            Kind::FindRequest => vec![cloud.service.find(message, NOW).map(drop).map_err(Stop::from)],
            Kind::Connect => vec![door.connects(message).map(drop)],
            other => {
                let to = To::of(other).unwrap_or_else(|| panic!("nobody takes {other:?}"));
                vec![door.sent(to, message).map(drop)]
            }
        };
        stops.into_iter().map(|outcome| outcome.expect_err("accepted")).collect()
    }
}

fn wire_error(stop: Stop) -> Option<WireError> {
    match stop {
        Stop::Owner(OwnerError::Wire(error))
        | Stop::Guest(GuestError::Wire(error))
        | Stop::Service(ServiceError::Wire(error))
        | Stop::Lock(LockError::Wire(error)) => Some(error),
        _ => None,
    }
}

//= spec/protocol.md#encoding
//# MSG-13. A decoder MUST refuse a message of another kind than the one expected.
#[test]
fn no_message_passes_for_one_of_another_kind() {
    let mut stage = Stage::new();
    let messages = stage.w.tape.everything();
    for kind in Kind::ALL {
        assert!(messages.iter().any(|message| Kind::of(message) == Ok(kind)), "no {kind:?} among the messages");
    }
    let before = stage.w.snapshot();
    let mut tried = 0;
    for message in messages.iter().filter(|message| message.len() > HEADER_LEN) {
        for kind in Kind::ALL.into_iter().filter(|kind| Ok(*kind) != Kind::of(message)) {
            let mut relabelled = message.clone();
            relabelled[3] = kind.byte();
            for stop in stage.deliver(kind, &relabelled) {
                tried += 1;
                // Hardly a kind's body is another's; where a length makes it one, the kind is under the signature.
                let unsigned = matches!(stop, Stop::Service(ServiceError::RequestSignature(_)));
                assert!(unsigned || wire_error(stop).is_some(), "{:?} as {kind:?}: {stop:?}", Kind::of(message));
            }
        }
    }
    assert!(tried > 500);
    assert_eq!(stage.w.snapshot(), before);
}

//= spec/protocol.md#encoding
//# MSG-12. A decoder MUST refuse a message of a version that it does not speak.
#[test]
fn no_message_of_another_version_is_read() {
    let mut stage = Stage::new();
    let before = stage.w.snapshot();
    for kind in Kind::ALL {
        for version in [0, 2, 255] {
            let mut message = stage.w.tape.last(kind);
            message[2] = version;
            for stop in stage.deliver(kind, &message) {
                assert_eq!(wire_error(stop), Some(WireError::Version { found: version }), "{kind:?}");
            }
        }
    }
    assert_eq!(stage.w.snapshot(), before);
}

/// How many ways there are to seal another header than the one that is sent.
const HEADERS: usize = Kind::ALL.len() - 1 + 4;

/// The message as it would be, had its sender signed it as another kind, version or protocol: the
/// header is put right only afterwards.
fn resealed(honest: &[u8], other: usize, authenticator: usize, seal: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let kinds = Kind::ALL.into_iter().map(|kind| (3, kind.byte())).filter(|(_, byte)| *byte != honest[3]);
    let (at, byte) = kinds.chain([(2, 0), (2, 2), (0, b'T'), (1, b'J')]).nth(other).unwrap();
    let mut covered = honest[..honest.len() - authenticator].to_vec();
    let right = std::mem::replace(&mut covered[at], byte);
    let mut sealed = seal(covered);
    sealed[at] = right;
    assert_ne!(sealed, honest);
    sealed
}

fn resigned(honest: &[u8], other: usize, key: &[u8; 32]) -> Vec<u8> {
    resealed(honest, other, Signature::LEN, |covered| forge::sign(covered, &Seed::from_bytes(*key)))
}

fn retagged(honest: &[u8], other: usize, key: &[u8]) -> Vec<u8> {
    resealed(honest, other, Tag::LEN, |covered| forge::tag(covered, key))
}

/// A secret out of what a phone stores.
fn stored(value: &impl serde::Serialize, field: &str) -> [u8; 32] {
    hex::array(serde_json::to_value(value).unwrap()[field].as_str().unwrap())
}

/// The lock's own signing key.
fn lock_key(w: &World) -> [u8; 32] {
    let key = forge::derived(&w.door.store.get(Cell::Seed).unwrap()[5..37], forge::label::LOCK_KEY);
    assert_eq!(public(&Seed::from_bytes(key)), *w.door.id().key());
    key
}

//= spec/protocol.md#frame
//# MSG-1. The authenticator MUST cover exactly the bytes before it, header included.
#[test]
fn kind_and_version_stand_under_every_signature() {
    let mut stage = Stage::new();
    let before = stage.w.snapshot();
    let lock = lock_key(&stage.w);
    let device = stored(&Exposed(stage.ben.claimed()), "device");
    let role = |byte| *seed(byte).expose();
    let service = Stop::Service;
    for (kind, key, because) in [
        (
            Kind::Grant,
            role(OLGA),
            vec![
                service(ServiceError::GrantSignature(MISMATCH)),
                OwnerError::GrantSignature(MISMATCH).into(),
                GuestError::GrantSignature(MISMATCH).into(),
            ],
        ),
        (Kind::Withdraw, role(OLGA), vec![service(ServiceError::WithdrawSignature(MISMATCH))]),
        (Kind::Withdrawn, role(CLOUD), vec![OwnerError::WithdrawnSignature(MISMATCH).into()]),
        (Kind::Claim, role(BEN), vec![service(ServiceError::ClaimSignature(MISMATCH))]),
        (Kind::Install, device, vec![service(ServiceError::InstallSignature(MISMATCH))]),
        (
            Kind::Receipt,
            lock,
            vec![
                service(ServiceError::ReceiptSignature(MISMATCH)),
                OwnerError::ReceiptSignature(MISMATCH).into(),
                GuestError::ReceiptSignature(MISMATCH).into(),
            ],
        ),
        (
            Kind::Done,
            lock,
            vec![
                service(ServiceError::DoneSignature(MISMATCH)),
                OwnerError::DoneSignature(MISMATCH).into(),
                OwnerError::DoneSignature(MISMATCH).into(),
                service(ServiceError::OwnershipSignature(MISMATCH)),
            ],
        ),
        (
            Kind::Provisioned,
            lock,
            vec![
                service(ServiceError::OwnershipSignature(MISMATCH)),
                OwnerError::ProvisionedSignature(MISMATCH).into(),
            ],
        ),
    ] {
        // The newest that Ben's download is about, where there are several.
        let honest = match kind {
            Kind::Claim => stage.ben.claimed().claim().to_vec(),
            Kind::Install => stage.installing.install().to_vec(),
            Kind::Grant => stage.ben.claimed().grant().to_vec(),
            kind => stage.w.tape.last(kind),
        };
        for other in 0..HEADERS {
            assert_eq!(stage.deliver(kind, &resigned(&honest, other, &key)), because, "{kind:?}");
        }
    }
    assert_eq!(stage.w.snapshot(), before);
}

#[test]
fn kind_and_version_stand_under_the_locks_refusal() {
    let mut stage = Stage::new();
    let lock = lock_key(&stage.w);
    let mut refusals = stage.w.tape.all(Kind::Refused);
    refusals.retain(|refusal| refusal.len() > HEADER_LEN);
    for other in 0..HEADERS {
        let stops = stage.deliver(Kind::Refused, &resigned(&refusals[0], other, &lock));
        assert_eq!(stops[0], OwnerError::RefusalSignature(MISMATCH).into());
        assert_eq!(stops[1], GuestError::RefusalSignature(MISMATCH).into());
        assert_eq!(stops[2], OwnerError::RefusalSignature(MISMATCH).into());
    }
}

#[test]
fn kind_and_version_stand_under_what_the_lock_takes_in_a_session() {
    let Stage { mut w, ana, mut ben, .. } = Stage::new();
    let pairing = stored(&Exposed(ana.key()), "pairing");
    let (owner, service, card) = (*seed(OLGA).expose(), *seed(CLOUD).expose(), w.door.card);
    for other in 0..HEADERS {
        let (challenge, session) = w.door.connect::<purpose::Install>();
        let installing = ben.ask(&challenge).unwrap();
        let honest = forge::signed(&Release { install: digest(installing.install()) }, &seed(CLOUD));
        let release = resigned(&honest, other, &service);
        let bundle = installing.bundle(&Provider, &release).unwrap().bundle().to_vec();
        w.lock_refuses(LockError::ReleaseSignature(MISMATCH), |w| w.door.install(session, &bundle));

        let (challenge, session) = w.door.connect::<purpose::Operate>();
        let ordered = w.olga.sign_order(Order::Act { action: Action::Open }, &challenge);
        let command = resigned(&ordered.unwrap().0, other, &owner);
        w.lock_refuses(LockError::CommandSignature(MISMATCH), |w| w.door.command(session, &command));

        let (challenge, session) = w.door.connect::<purpose::Operate>();
        let (honest, _awaiting) = ana.key().unlock(&Provider, &challenge, Action::Open, &mut ben.rng).unwrap();
        let unlock = retagged(&honest, other, &pairing);
        w.lock_refuses(LockError::UnlockMac, |w| w.door.unlock(session, &unlock));

        let (challenge, session) = w.door.connect::<purpose::Operate>();
        let secret = ActivationSecret::from_bytes(card);
        let (honest, _pending) = w.olga.owner.provision(&secret, &challenge, w.cloud.key(), &mut ben.rng).unwrap();
        let provision = retagged(&honest, other, &card);
        w.lock_refuses(LockError::CardMac, |w| w.door.provision(session, &provision));

        let (challenge, session) = w.door.connect::<purpose::Operate>();
        let honest = forge::tagged(&FactoryReset { lock: w.door.id(), nonce: nonce_of(&challenge) }, &card);
        let reset = retagged(&honest, other, &card);
        w.lock_refuses(LockError::CardMac, |w| w.door.factory_reset(session, &reset));
    }
}

//= spec/protocol.md#reply-checks
//# GST-14. The reply's tag MUST verify under the pairing key.
#[test]
fn kind_and_version_stand_under_the_locks_reply() {
    let Stage { mut w, mut ana, .. } = Stage::new();
    let pairing = stored(&Exposed(ana.key()), "pairing");
    let (session, unlock, awaiting) = w.asked(&mut ana, Action::Open);
    let honest = w.door.unlock(session, &unlock).unwrap();
    for other in 0..HEADERS {
        let reply = retagged(&honest, other, &pairing);
        assert_eq!(ana.key().check_reply(&Provider, &awaiting, &reply), Err(GuestError::ReplyMac));
    }
    assert_eq!(ana.key().check_reply(&Provider, &awaiting, &honest), Ok(sharekey_stage::stand::BATTERY));
}
