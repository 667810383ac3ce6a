//! Install: in which order the rules are checked, what spoils a signature, and that no bit of a
//! bundle is without effect.

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{AgreementKey, Digest, Nonce, PublicKey};
use sharekey::error::{LockError, RefuseReason, SignatureError, WireError};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Limits, Timestamp};
use sharekey::lock::{Clock, Session, purpose};
use sharekey::message::{Claim, Install, Release};
use sharekey_stage::stand::{Chain, NOON, Parts, Stand};
use sharekey_stage::{bad, digest, forge, public, seed};

const OTHER: u8 = 40;

/// The accept rules, in the order of the design. Each can be broken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rule {
    WellFormed,
    InTime,
    ThisLock,
    GrantSignature,
    ClaimNamesGrant,
    ClaimSignature,
    InstallNamesClaim,
    InstallNonce,
    InstallSignature,
    ReleaseNamesInstall,
    ReleaseSignature,
    ThisEpoch,
    SlotActive,
    Clock,
    Generation,
    Contributes,
}

const RULES: [Rule; 16] = [
    Rule::WellFormed,
    Rule::InTime,
    Rule::ThisLock,
    Rule::GrantSignature,
    Rule::ClaimNamesGrant,
    Rule::ClaimSignature,
    Rule::InstallNamesClaim,
    Rule::InstallNonce,
    Rule::InstallSignature,
    Rule::ReleaseNamesInstall,
    Rule::ReleaseSignature,
    Rule::ThisEpoch,
    Rule::SlotActive,
    Rule::Clock,
    Rule::Generation,
    Rule::Contributes,
];

impl Rule {
    fn error(self) -> LockError {
        match self {
            Self::WellFormed => LockError::Wire(WireError::Trailing),
            Self::InTime => LockError::SessionExpired,
            Self::ThisLock => LockError::WrongLock,
            Self::ThisEpoch => LockError::WrongEpoch,
            Self::SlotActive => LockError::SlotInactive,
            Self::GrantSignature => LockError::GrantSignature(SignatureError::Mismatch),
            Self::ClaimNamesGrant => LockError::ClaimNamesOtherGrant,
            Self::ClaimSignature => LockError::ClaimSignature(SignatureError::Mismatch),
            Self::InstallNamesClaim => LockError::InstallNamesOtherClaim,
            Self::InstallNonce => LockError::WrongNonce,
            Self::InstallSignature => LockError::InstallSignature(SignatureError::Mismatch),
            Self::ReleaseNamesInstall => LockError::ReleaseNamesOtherInstall,
            Self::ReleaseSignature => LockError::ReleaseSignature(SignatureError::Mismatch),
            Self::Clock => LockError::NoClock,
            Self::Generation => LockError::StaleGeneration,
            Self::Contributes => LockError::NonContributory,
        }
    }

    fn told(self) -> Option<RefuseReason> {
        match self {
            Self::ThisEpoch => Some(RefuseReason::WrongEpoch),
            Self::SlotActive => Some(RefuseReason::SlotInactive),
            Self::Clock => Some(RefuseReason::NoClock),
            Self::Generation => Some(RefuseReason::StaleGeneration),
            Self::Contributes => Some(RefuseReason::NonContributory),
            //= spec/protocol.md#errors-and-refusals
            //# ERR-1. A lock MUST NOT tell a sender that has not authenticated why it refuses.
            _ => None,
        }
    }
}

/// A chain for slot 0, all of it good but for the rules in `broken`.
fn bundle(stand: &mut Stand, nonce: Nonce, broken: &[Rule]) -> Vec<u8> {
    let is = |rule: Rule| broken.contains(&rule);
    let signer = |rule: Rule, own: u8| seed(if is(rule) { OTHER } else { own });
    let named = |rule: Rule, message: &[u8]| if is(rule) { Digest::from_bytes([0; 32]) } else { digest(message) };

    let mut grant = stand.chain(nonce, 0, 3).grant;
    if is(Rule::ThisLock) {
        grant.lock = LockId::new(public(&seed(OTHER)));
    }
    if is(Rule::ThisEpoch) {
        grant.epoch = Epoch::new(2);
    }
    if is(Rule::SlotActive) {
        grant.slot = SlotId::new(1);
    }
    if is(Rule::Clock) {
        stand.clock = Clock::Absent;
        grant.limits = Limits::new(Some(Timestamp::from_unix_seconds(NOON)), None, None, None).unwrap();
    }
    if is(Rule::Generation) {
        grant.generation = Generation::new(1);
    }
    let chain = Chain { grant, ..stand.chain(nonce, 0, 3) };
    let grant = forge::signed(&chain.grant, &signer(Rule::GrantSignature, sharekey_stage::stand::OWNER));
    let claim = Claim { grant: named(Rule::ClaimNamesGrant, &grant), ..chain.claim(&grant) };
    let claim = forge::signed(&claim, &signer(Rule::ClaimSignature, sharekey_stage::stand::SUBJECT));
    let mut install = Install { claim: named(Rule::InstallNamesClaim, &claim), ..chain.install(&claim) };
    if is(Rule::InstallNonce) {
        install.nonce = Nonce::from_bytes([0; 16]);
    }
    if is(Rule::Contributes) {
        install.agreement = AgreementKey::from_bytes([0; 32]);
    }
    let install = forge::signed(&install, &signer(Rule::InstallSignature, sharekey_stage::stand::DEVICE));
    let release = Release { install: named(Rule::ReleaseNamesInstall, &install) };
    let release = forge::signed(&release, &signer(Rule::ReleaseSignature, sharekey_stage::stand::SERVICE));
    let mut bundle = Parts { grant, claim, install, release }.bundle();
    if is(Rule::WellFormed) {
        bundle.push(0);
    }
    bundle
}

//= spec/protocol.md#frame
//# MSG-3. A reader MUST NOT rely on any field of a message whose authenticator it did not check, except to find the key to check it with.
//= spec/protocol.md#install
//# INS-17. A lock MUST NOT let an epoch, a slot, a generation, a use or a time decide before all four signatures held.
//= spec/protocol.md#install
//# INS-23. The lock MUST make these checks in this order; the first that fails decides the error.
#[test]
fn of_two_broken_rules_the_earlier_one_is_reported_and_decides_what_is_told() {
    for (at, first) in RULES.into_iter().enumerate() {
        for second in RULES.into_iter().skip(at) {
            let (mut stand, _) = Stand::installed();
            let (nonce, session) = stand.for_install();
            let bundle = bundle(&mut stand, nonce, &[first, second]);
            if [first, second].contains(&Rule::InTime) {
                stand.ticks += 120_001;
            }
            //= spec/protocol.md#errors-and-refusals
            //# ERR-2. A refusal MUST change nothing but the session that it used.
            stand.refuses_bundle(session, &bundle, first.error(), first.told());
            stand.goes_on();
        }
    }
}

#[test]
fn with_no_rule_broken_the_same_chain_installs() {
    let (mut stand, _) = Stand::installed();
    let (nonce, session) = stand.for_install();
    let bundle = bundle(&mut stand, nonce, &[]);
    let _ = stand.send_bundle(session, &bundle).unwrap();
}

fn begin(stand: &mut Stand) -> (Chain, Session<purpose::Install>) {
    let (nonce, session) = stand.for_install();
    (stand.chain(nonce, 0, 2), session)
}

/// Every spoilt signature of one part, in a chain that goes on from it.
fn refuses_signatures(
    part: impl Fn(&Parts) -> &Vec<u8>,
    chained: impl Fn(&Chain, Parts, Vec<u8>) -> Parts,
    error: fn(SignatureError) -> LockError,
) {
    let mut stand = Stand::active();
    let (chain, _) = begin(&mut stand);
    for way in 0..bad::signatures(part(&chain.parts())).len() {
        let (chain, session) = begin(&mut stand);
        let parts = chain.parts();
        let (spoilt, why) = bad::signatures(part(&parts)).swap_remove(way);
        let bundle = chained(&chain, parts, spoilt).bundle();
        stand.refuses_bundle(session, &bundle, error(why), None);
    }
    stand.goes_on();
}

#[test]
fn the_grants_signature_is_checked_strictly() {
    refuses_signatures(|parts| &parts.grant, |chain, _, grant| chain.after_grant(grant), LockError::GrantSignature);
}

#[test]
fn the_claims_signature_is_checked_strictly() {
    let chained = |chain: &Chain, parts: Parts, claim| chain.after_claim(parts.grant, claim);
    refuses_signatures(|parts| &parts.claim, chained, LockError::ClaimSignature);
}

#[test]
fn the_installs_signature_is_checked_strictly() {
    let chained = |chain: &Chain, parts: Parts, install| chain.after_install(parts.grant, parts.claim, install);
    refuses_signatures(|parts| &parts.install, chained, LockError::InstallSignature);
}

#[test]
fn the_releases_signature_is_checked_strictly() {
    let chained = |_: &Chain, parts: Parts, release| Parts { release, ..parts };
    refuses_signatures(|parts| &parts.release, chained, LockError::ReleaseSignature);
}

/// A lenient verifier takes the signature of [`bad::sign_as_identity`] under the identity's key.
#[test]
fn a_subject_whose_key_is_not_a_good_key_claims_nothing() {
    let mut stand = Stand::active();
    for (key, why) in bad::keys() {
        let (mut chain, session) = begin(&mut stand);
        chain.grant.subject = key;
        let grant = forge::signed(&chain.grant, &chain.owner);
        let claim = bad::sign_as_identity(forge::frame(&chain.claim(&grant)));
        let bundle = chain.after_claim(grant, claim).bundle();
        stand.refuses_bundle(session, &bundle, LockError::ClaimSignature(SignatureError::Key(why)), None);
    }
    stand.goes_on();
}

//= spec/protocol.md#strict-keys
//# KEY-7. A lock MUST make the checks KEY-1 and KEY-2 on every public key that it is to store, before anything is staged.
#[test]
fn a_device_whose_key_is_not_a_good_key_installs_nothing() {
    let mut stand = Stand::active();
    for (key, why) in bad::keys() {
        let (chain, session) = begin(&mut stand);
        let parts = chain.parts();
        let claim = forge::signed(&Claim { device: key, ..chain.claim(&parts.grant) }, &chain.subject);
        let install = bad::sign_as_identity(forge::frame(&chain.install(&claim)));
        let bundle = chain.after_install(parts.grant, claim, install).bundle();
        stand.refuses_bundle(session, &bundle, LockError::InstallSignature(SignatureError::Key(why)), None);
    }
    stand.goes_on();
}

/// Without this the two tests above could pass for a signature that nobody would take. The symbolic provider has no
/// equation.
#[cfg(any(feature = "ring", feature = "rustcrypto"))]
#[test]
fn the_equation_alone_would_take_the_identitys_signature() {
    use sharekey::crypto::{Signature, Verify};
    use sharekey_stage::provider::Provider;
    let mut identity = [0; 32];
    identity[0] = 1;
    let signed = bad::sign_as_identity(b"anything".to_vec());
    let (message, signature) = signed.split_last_chunk::<64>().unwrap();
    let key = PublicKey::from_bytes(identity);
    assert!(Provider.verify_equation(&Provider.ready(&key).unwrap(), &[message], &Signature::from_bytes(*signature)));
}
