//! One target for each kind of message: what decodes encodes to the same bytes, what does not is refused for the
//! reason that the spec gives, and nothing beyond `MAX_LEN` counts.

use std::fmt::Debug;

use sharekey::crypto::{Signature, Tag};
use sharekey::error::WireError;
use sharekey::message::{
    Bundle, Challenge, Claim, Command, Connect, Done, FactoryReset, FindRequest, Grant, Install, Provision,
    Provisioned, Receipt, Refused, RefusedBody, Release, Reply, Report, ReportRequest, Unlock, Withdraw, Withdrawn,
};
use sharekey::service;
use sharekey::wire::{Authenticator as _, Encoded, HEADER_LEN, Kind, Message, Unverified};
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::forge::{Forge, frame};
use sharekey_stage::seed;

const KEY: [u8; 16] = [5; 16];

/// What a kind of authenticator needs so that its message is made and checked again.
pub trait Sealed: Message {
    /// Makes the message of this body, and checks it under the right and under a wrong key.
    fn seal(body: &Self) -> Vec<u8>;
}

/// Makes again what decoded.
const FORGE: Forge<Symbolic> = Forge::new();

fn signed<T: Message<Auth = Signature> + Copy>(body: &T) -> Vec<u8> {
    let message = FORGE.signed(body, &seed(1));
    let parsed = Unverified::<T>::parse(&message).unwrap();
    let verified = parsed.verify(&Symbolic, &FORGE.public(&seed(1))).unwrap();
    assert_eq!((verified.as_bytes(), verified.digest(&Symbolic)), (&message[..], FORGE.digest(&message)));
    assert!(parsed.verify(&Symbolic, &FORGE.public(&seed(2))).is_err());
    message
}

fn tagged<T: Message<Auth = Tag> + Copy>(body: &T) -> Vec<u8> {
    let message = FORGE.tagged(body, &KEY);
    let parsed = Unverified::<T>::parse(&message).unwrap();
    assert_eq!(parsed.verify_mac(&Symbolic, &KEY).unwrap().as_bytes(), message);
    assert!(parsed.verify_mac(&Symbolic, &[6; 16]).is_err());
    message
}

/// What is wrong with the header, as the spec orders the checks.
fn header(data: &[u8], expected: Kind) -> Result<(), WireError> {
    match *data {
        [b'S', b'K', 1, kind, ..] if kind == expected.byte() => Ok(()),
        [b'S', b'K', 1, found, ..] => Err(WireError::Kind { expected, found }),
        [b'S', b'K', version, _, ..] => Err(WireError::Version { found: version }),
        [_, _, _, _, ..] => Err(WireError::Magic),
        _ => Err(WireError::Truncated),
    }
}

/// Whatever follows the longest message changes nothing.
fn with_other_tail(data: &[u8], longest: usize) -> Vec<u8> {
    let mut other = data.to_vec();
    other.iter_mut().skip(longest + 1).for_each(|byte| *byte = !*byte);
    other
}

fn message<T: Sealed + PartialEq + Clone + Debug>(data: &[u8]) {
    let parsed = Unverified::<T>::parse(data);
    dispatch(data, T::KIND, parsed.is_ok());
    let message = match parsed {
        Ok(message) => message,
        Err(error) => return refused::<T>(data, error),
    };
    assert!(data.len() <= T::MAX_LEN, "longer than MAX_LEN");
    assert_eq!(header(data, T::KIND), Ok(()));
    let (covered, authenticator) = data.split_at(data.len() - T::Auth::LEN);
    assert_eq!(frame(message.claims()), covered, "one meaning, two encodings");
    assert_eq!((message.as_bytes(), message.digest(&Symbolic)), (data, FORGE.digest(data)));
    let copy = Encoded::<T>::copy(data).unwrap();
    assert_eq!((copy.as_bytes(), copy.as_ref(), copy.digest(&Symbolic)), (data, data, FORGE.digest(data)));
    assert_eq!(format!("{copy:?}"), format!("Encoded({:?}, {} bytes)", T::KIND, data.len()));
    let stored = postcard::to_allocvec(&copy).unwrap();
    assert!(postcard::from_bytes::<Encoded<T>>(&stored).is_ok_and(|read| read == copy));
    // The library's own encoder, and the authenticators.
    let made = T::seal(message.claims());
    assert_eq!(made[..covered.len()], *covered);
    assert_eq!(made.len(), covered.len() + authenticator.len());
    // A message cut anywhere is none.
    for end in [data.len() - 1, covered.len(), HEADER_LEN, 0] {
        assert!(end == data.len() || Unverified::<T>::parse(&data[..end]).is_err());
    }
    let longer = [data, &[0]].concat();
    assert!(Unverified::<T>::parse(&longer).is_err(), "bytes follow");
}

fn refused<T: Message + Debug>(data: &[u8], error: WireError) {
    crate::blamed(&error);
    if let Err(expected) = header(data, T::KIND) {
        assert_eq!(error, expected);
    } else if data.len() > T::MAX_LEN {
        assert_eq!(error, WireError::TooLong);
        let other = with_other_tail(data, T::MAX_LEN);
        assert_eq!(Unverified::<T>::parse(&other).map(|_| ()), Err(WireError::TooLong));
    } else {
        let values = [WireError::Truncated, WireError::Trailing, WireError::Option, WireError::Value];
        assert!(values.contains(&error), "{error:?}");
    }
    assert_eq!(Encoded::<T>::copy(data).map(|_| ()), Err(error));
    if data.len() < 128 {
        let stored = postcard::to_allocvec(&data).unwrap();
        assert!(postcard::from_bytes::<Encoded<T>>(&stored).is_err(), "stored, and no message");
    }
}

/// A message is of one kind, and only there it is read.
fn dispatch(data: &[u8], kind: Kind, good: bool) {
    let found = Kind::of(data);
    if good {
        assert_eq!(found, Ok(kind));
        assert_eq!(kind.header(), data[..HEADER_LEN]);
    }
    // A message of another kind is that kind's target's.
    if found.is_err() || found == Ok(kind) {
        let place = service::place_of(data);
        assert!(place.is_err() || found.is_ok(), "a place of no message");
    }
}

macro_rules! kinds {
    ($( $name:ident: $body:ty, $seal:ident; )*) => { $(
        impl Sealed for $body {
            fn seal(body: &Self) -> Vec<u8> {
                $seal(body)
            }
        }

        pub fn $name(data: &[u8]) {
            message::<$body>(data);
        }
    )* };
}

kinds! {
    grant: Grant, signed;
    withdraw: Withdraw, signed;
    withdrawn: Withdrawn, signed;
    claim: Claim, signed;
    challenge: Challenge, frame;
    install: Install, signed;
    release: Release, signed;
    receipt: Receipt, signed;
    unlock: Unlock, tagged;
    reply: Reply, tagged;
    command: Command, signed;
    done: Done, signed;
    refused_body: RefusedBody, signed;
    provision: Provision, tagged;
    provisioned: Provisioned, signed;
    factory_reset: FactoryReset, tagged;
    connect: Connect, frame;
    report_request: ReportRequest, signed;
    report: Report, signed;
    find_request: FindRequest, signed;
}

/// A refusal is its header alone, or a signed message.
pub fn refused_either(data: &[u8]) {
    let opaque = data == Refused::OPAQUE;
    match (Refused::parse(data), Unverified::<RefusedBody>::parse(data)) {
        (Ok(Refused::Opaque), Err(_)) => assert!(opaque),
        (Ok(refusal @ Refused::Signed(_)), Ok(signed)) => {
            let Refused::Signed(body) = refusal else { return };
            assert_eq!(body.claims(), signed.claims());
            let (request, reason) = (body.claims().request, body.claims().reason);
            crate::blamed(&reason);
            let message = RefusedBody::seal(body.claims());
            let lock = sharekey::id::LockId::new(FORGE.public(&seed(1)));
            let told = |request| Refused::parse(&message).unwrap().reason(&Symbolic, &lock, request);
            assert_eq!(told(&request), Ok(Some(reason)));
            assert_eq!(told(&FORGE.digest(data)), Ok(None));
            let forged = refusal.reason(&Symbolic, &lock, &request);
            assert!(forged.is_err() || data == message);
        }
        (Err(error), Err(same)) => assert_eq!(error, same),
        (refusal, signed) => panic!("{refusal:?} and {signed:?}"),
    }
    if opaque {
        let lock = sharekey::id::LockId::new(sharekey::crypto::PublicKey::from_bytes([1; 32]));
        assert_eq!(Refused::Opaque.reason(&Symbolic, &lock, &FORGE.digest(data)), Ok(None));
    } else {
        refused_body(data);
    }
}

/// A bundle divides into four parts exactly, and is put together to the same bytes.
pub fn bundle(data: &[u8]) {
    let parsed = Bundle::parse(data);
    dispatch(data, Kind::Bundle, parsed.is_ok());
    match parsed {
        Ok(bundle) => {
            assert!(data.len() <= Bundle::MAX_LEN);
            assert_eq!(*bundle.encode().unwrap(), *data);
            let Bundle { grant, claim, install, release } = bundle;
            assert_eq!(Bundle { grant, claim, install, release }.encode().as_deref(), Ok(data));
            parts(&bundle);
        }
        Err(error) => {
            crate::blamed(&error);
            match header(data, Kind::Bundle) {
                Err(expected) => assert_eq!(error, expected),
                Ok(()) if data.len() > Bundle::MAX_LEN => assert_eq!(error, WireError::TooLong),
                Ok(()) => assert!(matches!(error, WireError::Truncated | WireError::Trailing), "{error:?}"),
            }
            let other = with_other_tail(data, Bundle::MAX_LEN);
            assert_eq!(Bundle::parse(&other).map(|_| ()), Err(error));
        }
    }
}

/// Any four slices are one bundle or too long for one.
fn parts(bundle: &Bundle<'_>) {
    let Bundle { grant, claim, install, release } = *bundle;
    grant_of(grant);
    let doubled = [grant, grant, grant].concat();
    let again = Bundle { grant: &doubled, claim, install, release };
    let length = HEADER_LEN + 8 + doubled.len() + claim.len() + install.len() + release.len();
    match again.encode() {
        Ok(bytes) => assert_eq!((bytes.len(), Bundle::parse(&bytes)), (length, Ok(again))),
        Err(_) => assert!(length > Bundle::MAX_LEN),
    }
}

fn grant_of(part: &[u8]) {
    if let Ok(found) = Unverified::<Grant>::parse(part) {
        assert_eq!(found.as_bytes(), part);
    }
}
