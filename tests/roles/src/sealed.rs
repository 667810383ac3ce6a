//! What is stored under a key that the app brings says nothing without it, and is good in its place only.

use serde::Serialize;
use sharekey::error::{Fault, Retry, SealedError};
use sharekey::guest::{Claimed, GuestKey, Installing, Keyring};
use sharekey::owner::PendingProvision;
use sharekey::sealed::Sealed;
use sharekey::secret::{ActivationSecret, Exposed, HoldsSecret, PairingKey, Seed, StorageKey};
use sharekey_stage::provider::Provider;
use sharekey_stage::world::{ANA, HALL, World};
use sharekey_stage::{hex, rng, seed};

const PLACE: &[u8] = b"account";

fn key(byte: u8) -> StorageKey {
    StorageKey::from_bytes([byte; 32])
}

fn sealed<T: HoldsSecret>(value: &T) -> Sealed<T> {
    Sealed::seal(&Provider, &key(1), PLACE, value, &mut rng(5)).unwrap()
}

/// Made with Python's `cryptography`: `b"\x01" + salt + ChaCha20Poly1305(k).encrypt(bytes(12), bytes([7]) * 32,
/// b"\x01Seed\x00account")`, with k = HKDF(SHA256, 32, salt, b"sharekey v1 sealed") of `bytes(range(32))`.
const BY_PYTHON: &str = "010909090909090909090909090909090909090909090909090909090909090909033624594b2631bdc29f789a4a24cf42ca279478009cab47e97df6649d892582a5f1039339dc5526e5eb6501dd947486";

#[test]
fn the_format_is_as_documented() {
    let by_python = Sealed::<Seed>::from_bytes(hex::bytes(BY_PYTHON));
    let key = StorageKey::from_bytes(core::array::from_fn(|at| u8::try_from(at).unwrap()));
    assert_eq!(by_python.open(&Provider, &key, PLACE), Ok(Seed::from_bytes([7; 32])));
}

#[test]
fn a_sealed_value_opens_under_its_key_as_its_type_in_its_place_and_unaltered() {
    let stored = sealed(&seed(7));
    let open = |stored: &Sealed<Seed>, key: u8, place: &[u8]| {
        stored.open(&Provider, &StorageKey::from_bytes([key; 32]), place)
    };
    assert_eq!(open(&stored, 1, PLACE), Ok(seed(7)));
    assert_eq!(open(&stored, 2, PLACE), Err(SealedError::Refused));
    for place in [&b""[..], b"accoun", b"account2", b"owner"] {
        assert_eq!(open(&stored, 1, place), Err(SealedError::Refused));
    }
    let bytes = stored.as_bytes();
    // A pairing key has as many bytes, and is no seed.
    let other = Sealed::<PairingKey>::from_bytes(bytes.to_vec());
    assert_eq!(other.open(&Provider, &key(1), PLACE), Err(SealedError::Refused));
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.to_vec();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(&Sealed::from_bytes(altered), 1, PLACE), Err(SealedError::Refused), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert_eq!(open(&Sealed::from_bytes(bytes[..length].to_vec()), 1, PLACE), Err(SealedError::Refused));
    }
    assert_eq!((SealedError::Refused.fault(), SealedError::Refused.retry()), (Fault::Caller, Retry::OtherInput));
}

#[test]
fn the_same_value_is_never_sealed_to_the_same_bytes() {
    let rng = &mut rng(5);
    let [one, other] = [(); 2].map(|()| Sealed::seal(&Provider, &key(1), PLACE, &seed(7), rng).unwrap());
    assert_ne!(one, other);
    assert!(one.as_bytes().iter().zip(other.as_bytes()).filter(|(a, b)| a != b).count() > 60);
}

/// Whether four bytes in a row of `secret` stand in `bytes`.
fn shows(bytes: &[u8], secret: &[u8]) -> bool {
    secret.windows(4).any(|run| bytes.windows(4).any(|found| found == run))
}

fn check<T: HoldsSecret + PartialEq + core::fmt::Debug>(value: T) {
    let open = postcard::to_allocvec(&Exposed(&value)).unwrap();
    let stored = sealed(&value);
    assert!(shows(&open, &open) && !shows(stored.as_bytes(), &open), "{stored:?}");
    assert_eq!(stored.as_bytes().len(), open.len() + 49);
    let text = serde_json::to_string(&stored).unwrap();
    let read: Sealed<T> = serde_json::from_str(&text).unwrap();
    assert_eq!(read.open(&Provider, &key(1), PLACE), Ok(value));
}

/// Everything that holds a secret and is stored.
#[test]
fn every_stored_form_with_a_secret_can_be_sealed() {
    let mut w = World::active();
    let mut ana = w.guest(ANA);
    let grant = w.share(HALL, &ana).unwrap();
    let mut ring = Keyring::new();
    let taken = ring.take(&Provider, &ana.account, &grant, None, &mut ana.rng).unwrap();
    taken.commit(|_| Ok::<(), ()>(())).unwrap();
    w.download(&mut ana).unwrap();
    let (_, installing) = w.asks(&mut ana);
    let (challenge, _) = World::fresh(2).door.connect::<sharekey::lock::purpose::Operate>();
    let card = ActivationSecret::from_bytes([2; 16]);
    let (_, pending) = w.olga.owner.provision(&card, &challenge, w.cloud.key(), &mut w.olga.rng).unwrap();
    check::<Keyring>(ring);
    check::<Claimed>(ana.claimed.unwrap());
    check::<Installing>(installing);
    check::<GuestKey>(ana.key.unwrap());
    check::<PendingProvision>(pending);
    check::<ActivationSecret>(card);
    check::<Seed>(seed(7));
}

/// A form of another version of the library, say.
#[test]
fn what_was_sealed_and_is_no_such_value_is_told_from_what_was_altered() {
    struct Short;
    impl sharekey::secret::Expose for Short {
        fn write_plain<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            [1_u8; 4].serialize(serializer)
        }
    }
    impl HoldsSecret for Short {
        const KIND: &'static str = Seed::KIND;

        fn read_plain<'de, D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    let other = Sealed::<Seed>::from_bytes(sealed(&Short).into_bytes());
    assert_eq!(other.open(&Provider, &key(1), PLACE), Err(SealedError::Content));
    assert_eq!(SealedError::Content.retry(), Retry::Update);
}
