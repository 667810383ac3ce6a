//! `Debug` shows no secret: neither those of the types that are secrets, nor those inside others.

mod story;

use sharekey::code::ShareCode;
use sharekey::crypto::Signer;
use sharekey::guest::Account;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::lock::{Cell, Found, Making, StoredSeed, purpose};
use sharekey::owner::Owner;
use sharekey::secret::{
    ActivationSecret, AgreementSecret, Exposed, MacKey, PairingKey, Seed, SharedSecret, StorageKey,
};
use sharekey::service::Service;
use sharekey_stage::hex;
use sharekey_stage::provider::Provider;
use sharekey_stage::stand::{CARD, NOON, Stand};
use sharekey_stage::{public, rng, seed};

/// Every way in which some bytes of a secret in a row could stand in a text: four in hexadecimal or as a list of
/// numbers, eight as they are, six in either alphabet of base64.
fn shows(text: &str, secret: &[u8]) -> bool {
    let in_base64 = secret.windows(6).any(|run| {
        let encoded = base64(run);
        text.contains(&encoded) || text.contains(&encoded.replace('+', "-").replace('/', "_"))
    });
    let as_text = secret.windows(8).any(|run| core::str::from_utf8(run).is_ok_and(|run| text.contains(run)));
    in_base64 || as_text || shows_numbers(text, secret)
}

/// Six bytes are eight symbols, wherever in a longer text they stand at a multiple of three.
fn base64(run: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let number = run.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let symbol = |at: usize| char::from(ALPHABET[usize::try_from(number >> (42 - 6 * at) & 63).unwrap()]);
    (0..8).map(symbol).collect()
}

fn shows_numbers(text: &str, secret: &[u8]) -> bool {
    secret.windows(4).any(|run| {
        let hex = sharekey_stage::hex::text(run);
        let list = run.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        let lower = text.to_lowercase();
        lower.contains(&hex) || lower.contains(&list)
    })
}

fn hides(value: &impl core::fmt::Debug, secrets: &[&[u8]]) {
    for text in [format!("{value:?}"), format!("{value:#?}").split_whitespace().collect::<Vec<_>>().join(" ")] {
        for secret in secrets {
            assert!(!shows(&text, secret), "{text}");
        }
    }
}

#[test]
fn the_check_itself_finds_what_is_shown() {
    let secret = [0x1f, 0x2e, 0x3d, 0x4c, 0x5b];
    assert!(shows(&format!("{secret:?}"), &secret));
    assert!(shows("Key(1F2E3D4C)", &secret));
    assert!(!shows("Key([redacted])", &secret));
    let words = b"a secret of some length";
    for encoded in
        ["YSBzZWNyZXQgb2Ygc29tZSBsZW5ndGg=", "P2Egc2VjcmV0IG9mIHNvbWUgbGVuZ3Ro", "Pz9hIHNlY3JldCBvZiBzb21lIGxlbmd0aA=="]
    {
        assert!(shows(&format!("Key({encoded})"), words));
    }
    assert!(shows("-_79-_79", &[0xfb, 0xfe, 0xfd, 0xfb, 0xfe, 0xfd]), "the alphabet for addresses too");
    assert!(shows("Key(a secret of some)", words) && !shows("Key(a secular)", words));
}

#[test]
fn types_that_are_secrets_say_only_what_they_are() {
    assert_eq!(format!("{:?}", Seed::from_bytes([1; 32])), "Seed([redacted])");
    assert_eq!(format!("{:?}", ActivationSecret::from_bytes([1; 16])), "ActivationSecret([redacted])");
    assert_eq!(format!("{:?}", PairingKey::from_bytes([1; 32])), "PairingKey([redacted])");
    assert_eq!(format!("{:?}", AgreementSecret::from_bytes([1; 32])), "AgreementSecret([redacted])");
    assert_eq!(format!("{:?}", SharedSecret::from_bytes([1; 32])), "SharedSecret([redacted])");
    assert_eq!(format!("{:?}", MacKey::from_bytes([1; 32])), "MacKey([redacted])");
    assert_eq!(format!("{:?}", StorageKey::from_bytes([1; 32])), "StorageKey([redacted])");
    let code = ShareCode::issue(&mut rng(1));
    assert_eq!(format!("{code:?} {:?}", code.expose()), "ShareCode([redacted]) CodeText([redacted])");
}

#[test]
fn keys_and_roles_show_their_public_half_only() {
    let secret = seed(0xa7);
    let signer = Signer::from_seed(&Provider, &secret).unwrap();
    assert!(format!("{signer:?}").contains(&public(&secret).to_string()));
    hides(&signer, &[secret.expose()]);
    hides(&Account::from_seed(&Provider, &secret).unwrap(), &[secret.expose()]);
    hides(&Owner::new(Provider, &secret).unwrap(), &[secret.expose()]);
    hides(&Service::new(Provider, &secret).unwrap(), &[secret.expose()]);
}

#[test]
fn a_guests_download_shows_neither_device_key_nor_agreement_nor_pairing_key() {
    let mut stand = Stand::active();
    let subject = seed(sharekey_stage::stand::SUBJECT);
    let (nonce, session) = stand.for_install();
    let grant = sharekey_stage::forge::signed(&stand.chain(nonce, 0, 2).grant, &seed(sharekey_stage::stand::OWNER));
    let claimed =
        Account::from_seed(&Provider, &subject).unwrap().claim(&Provider, &grant, None, &mut rng(2)).unwrap().stored();
    let challenge = sharekey_stage::forge::bare(&sharekey::message::Challenge { lock: stand.id(), nonce });
    let installing = claimed.install(&Provider, &challenge, &mut rng(3)).unwrap().stored();
    let install = sharekey_stage::digest(installing.install());
    let release =
        sharekey_stage::forge::signed(&sharekey::message::Release { install }, &seed(sharekey_stage::stand::SERVICE));
    let download = installing.bundle(&Provider, &release).unwrap();
    let receipt = stand.send_bundle(session, download.bundle()).unwrap().receipt;
    let key = download.finish(&Provider, &receipt).unwrap().stored();

    let secret_of = |json: serde_json::Value, field: &str| hex::bytes(json[field].as_str().unwrap());
    let device = secret_of(serde_json::to_value(Exposed(&claimed)).unwrap(), "device");
    let agreement = secret_of(serde_json::to_value(Exposed(&installing)).unwrap(), "secret");
    let pairing = secret_of(serde_json::to_value(Exposed(&key)).unwrap(), "pairing");
    assert_eq!((device.len(), agreement.len(), pairing.len()), (32, 32, 32));
    let secrets: [&[u8]; 3] = [&device, &agreement, &pairing];
    hides(&claimed, &secrets);
    hides(&installing, &secrets);
    hides(&download, &secrets);
    hides(&key, &secrets);
}

#[test]
fn a_lock_shows_nothing_of_its_seed_its_card_its_records_or_its_keys() {
    let uses = Limits::new(None, None, None, Some(5)).unwrap();
    let (mut stand, key) = Stand::installed_with(Rights::OPEN, uses);
    let seed_cell = stand.store.get(Cell::Seed).unwrap().to_vec();
    let lock_seed = &seed_cell[5..37];
    let secrets: [&[u8]; 3] = [lock_seed, &CARD[..5], &key.pairing];
    hides(&stand.lock, &secrets);
    hides(&StoredSeed::read(&Provider, stand.store.found(Cell::Seed)).unwrap(), &secrets);

    let making =
        Making::<Provider, 1>::new(Provider, sharekey_stage::stand::card(), Found::Bytes(&seed_cell), &mut rng(4))
            .unwrap();
    hides(&making, &secrets);
    let record = making.record().unwrap().unwrap();
    hides(&record, &[record.as_bytes()]);

    let (nonce, session) = stand.operate();
    let message = key.message(Action::Open, nonce);
    let now = stand.now();
    let staged = stand.lock.unlock(session, &message, now).unwrap();
    hides(&staged, &secrets);
    let (record, pending) = staged.detach();
    let record = record.unwrap();
    hides(&record, &[record.as_bytes()]);
    hides(&pending, &secrets);
}

#[test]
fn a_challenge_that_was_not_committed_is_not_shown() {
    let mut stand = Stand::active();
    stand.clock = sharekey::lock::Clock::At(sharekey::limits::Timestamp::from_unix_seconds(NOON));
    let now = stand.now();
    let staged = stand.lock.challenge::<purpose::Operate>(now, &mut stand.rng).unwrap();
    assert_eq!(format!("{staged:?}"), "Accepted(Counter)");
}
