//! Does an authenticator cover everything before it, and nothing else pass for it?

use sharekey::crypto::{Digest, Hash as _, Mac as _, PublicKey, SIGNATURE_CONTEXT, Sign as _, Tag};
use sharekey::error::{MacMismatch, SignatureError};
use sharekey::id::LockId;
use sharekey::message::{Grant, Refused, RefusedBody, Unlock};
use sharekey::secret::Seed;
use sharekey::wire::{Message, Unverified};
use sharekey_stage::provider::Provider;

use sharekey_stage::forge::frame;
use sharekey_stage::samples::{Samples as _, Size};

fn signed<T: Message>(body: &T, seed: u8) -> (PublicKey, Vec<u8>) {
    let key = Provider.signing_key(&Seed::from_bytes([seed; 32])).unwrap();
    let mut bytes = frame(body);
    let signature = Provider.sign(&key, &[SIGNATURE_CONTEXT, &bytes]).unwrap();
    bytes.extend(signature.as_bytes());
    (Provider.public_key(&key), bytes)
}

//= spec/protocol.md#frame
//# MSG-1. The authenticator MUST cover exactly the bytes before it, header included.
#[test]
fn a_signature_covers_every_bit_before_it() {
    let grant = Grant::samples(Size::High).pop().unwrap();
    let (key, good) = signed(&grant, 1);
    let verify = |bytes: &[u8]| {
        Unverified::<Grant>::parse(bytes).ok().map(|message| message.verify(&Provider, &key).map(|message| *message))
    };
    assert_eq!(verify(&good), Some(Ok(grant)));
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(!matches!(verify(&bad), Some(Ok(_))), "bit {bit}");
    }
    let digest = Unverified::<Grant>::parse(&good).unwrap().digest(&Provider);
    assert_eq!(*digest.as_bytes(), Provider.sha256(&[&good]));
}

//= spec/protocol.md#frame
//# MSG-1. The authenticator MUST cover exactly the bytes before it, header included.
#[test]
fn a_mac_covers_every_bit_before_it() {
    let unlock = Unlock::samples(Size::High).pop().unwrap();
    let mut good = frame(&unlock);
    good.extend(Tag::truncated(&Provider.hmac_sha256(&[7; 32], &[&good])).as_bytes());
    let verify = |bytes: &[u8], key: &[u8]| {
        Unverified::<Unlock>::parse(bytes)
            .ok()
            .map(|message| message.verify_mac(&Provider, key).map(|message| *message))
    };
    assert_eq!(verify(&good, &[7; 32]), Some(Ok(unlock)));
    assert_eq!(verify(&good, &[8; 32]), Some(Err(MacMismatch)));
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(!matches!(verify(&bad, &[7; 32]), Some(Ok(_))), "bit {bit}");
    }
}

//= spec/protocol.md#reply-checks
//# GST-17. A guest MUST NOT take a Refused for a statement of the lock unless it is signed by the lock and names the guest's own request.
#[test]
fn a_refusal_gives_its_reason_only_for_the_request_and_the_lock_it_is_from() {
    let body = RefusedBody::samples(Size::Low).pop().unwrap();
    let (key, bytes) = signed(&body, 1);
    let (other, _) = signed(&body, 2);
    let reason =
        |lock, request: Digest| Refused::parse(&bytes).unwrap().reason(&Provider, &LockId::new(lock), &request);
    assert_eq!(reason(key, body.request), Ok(Some(body.reason)));
    assert_eq!(reason(key, Digest::from_bytes([9; 32])), Ok(None));
    assert_eq!(reason(other, body.request), Err(SignatureError::Mismatch));
    let opaque = Refused::parse(&Refused::OPAQUE).unwrap();
    assert_eq!(opaque.reason(&Provider, &LockId::new(key), &body.request), Ok(None));
}
