//! Does every message have one encoding, and is everything else refused for the right reason?

use std::collections::BTreeSet;

use proptest::prelude::*;
use sharekey::error::{SealError, WireError};
use sharekey::message::{
    Bundle, Claim, Command, Done, Grant, Install, Refused, RefusedBody, Release, Reply, Report, Unlock, Withdrawn,
};
use sharekey::wire::{Authenticator, Encoded, HEADER_LEN, Kind, MAX_MESSAGE, Message, Unverified, VERSION};

use sharekey_stage::every_body;
use sharekey_stage::forge::frame;
use sharekey_stage::samples::{Samples, Size, message};

fn parse<T: Message + Clone>(bytes: &[u8]) -> Result<T, WireError> {
    Unverified::<T>::parse(bytes).map(|message| message.claims().clone())
}

fn every_sample<T: Samples>() -> impl Iterator<Item = T> {
    T::samples(Size::Low).into_iter().chain(T::samples(Size::High))
}

/// What decodes re-encodes to the same bytes.
fn assert_exact<T: Samples + Clone>(bytes: &[u8]) {
    if let Ok(body) = parse::<T>(bytes) {
        assert_eq!(frame(&body), bytes[..bytes.len() - T::Auth::LEN]);
    }
}

mod check {
    use super::*;

    pub(crate) fn samples_decode_as_themselves<T: Samples + Clone>() {
        for body in every_sample::<T>() {
            let bytes = message(&body);
            let unverified = Unverified::<T>::parse(&bytes).unwrap();
            assert_eq!((unverified.claims(), unverified.as_bytes()), (&body, &bytes[..]));
            assert_eq!(Kind::of(&bytes), Ok(T::KIND));
        }
    }

    pub(crate) fn max_len_is_reached_and_never_exceeded<T: Samples + Clone>() {
        assert_eq!(every_sample::<T>().map(|body| message(&body).len()).max(), Some(T::MAX_LEN));
        const { assert!(T::MAX_LEN <= MAX_MESSAGE) };
    }

    //= spec/protocol.md#encoding
    //# MSG-4. An encoder MUST use the one encoding given here.
    pub(crate) fn no_number_changes_the_length<T: Samples + Clone>() {
        let lengths = |size| T::samples(size).iter().map(|body| message(body).len()).collect::<Vec<_>>();
        assert_eq!(lengths(Size::Low), lengths(Size::High));
    }

    //= spec/protocol.md#encoding
    //# MSG-9. A decoder MUST refuse a message that is shorter than its header, its fields and its authenticator.
    pub(crate) fn every_truncation_is_an_error<T: Samples + Clone>() {
        for body in every_sample::<T>() {
            let bytes = message(&body);
            for length in 0..bytes.len() {
                assert_eq!(parse::<T>(&bytes[..length]), Err(WireError::Truncated), "{length} bytes of {body:?}");
            }
        }
    }

    //= spec/protocol.md#encoding
    //# MSG-8. A decoder MUST refuse a message whose fields end before its authenticator begins.
    //= spec/protocol.md#encoding
    //# MSG-10. A decoder MUST refuse a message longer than MAX_LEN of its kind.
    pub(crate) fn every_trailing_byte_is_an_error<T: Samples + Clone>() {
        for body in every_sample::<T>() {
            let mut bytes = message(&body);
            while bytes.len() < T::MAX_LEN {
                bytes.push(0);
                assert_eq!(parse::<T>(&bytes), Err(WireError::Trailing), "{body:?}");
            }
            for _ in 0..300 {
                bytes.push(0);
                assert_eq!(parse::<T>(&bytes), Err(WireError::TooLong), "{body:?}");
            }
        }
    }

    pub(crate) fn each_header_byte_has_its_error<T: Samples + Clone>() {
        let bytes = message(&T::samples(Size::High)[0]);
        for at in 0..HEADER_LEN {
            for value in (0..=u8::MAX).filter(|value| *value != bytes[at]) {
                let mut bytes = bytes.clone();
                bytes[at] = value;
                let expected = match at {
                    //= spec/protocol.md#encoding
                    //# MSG-11. A decoder MUST refuse a message that does not begin with `"SK"`.
                    0 | 1 => WireError::Magic,
                    //= spec/protocol.md#encoding
                    //# MSG-12. A decoder MUST refuse a message of a version that it does not speak.
                    2 => WireError::Version { found: value },
                    //= spec/protocol.md#encoding
                    //# MSG-13. A decoder MUST refuse a message of another kind than the one expected.
                    _ => WireError::Kind { expected: T::KIND, found: value },
                };
                assert_eq!(parse::<T>(&bytes), Err(expected));
            }
        }
    }

    /// Every value of every byte of every sample's body.
    //= spec/protocol.md#encoding
    //# MSG-4. An encoder MUST use the one encoding given here.
    pub(crate) fn what_decodes_re_encodes_after_any_one_byte_changed<T: Samples + Clone>() {
        for body in every_sample::<T>() {
            let good = message(&body);
            for at in HEADER_LEN..good.len() - T::Auth::LEN {
                for value in 0..=u8::MAX {
                    let mut bytes = good.clone();
                    bytes[at] = value;
                    assert_exact::<T>(&bytes);
                }
            }
        }
    }

    pub(crate) fn what_decodes_re_encodes_after_many_changes<T: Samples + Clone>(
        which: prop::sample::Index,
        changes: &[(prop::sample::Index, u8)],
        tail: &[u8],
    ) {
        let mut bytes = message(which.get(&every_sample::<T>().collect::<Vec<_>>()));
        let body = HEADER_LEN..bytes.len() - T::Auth::LEN;
        for (at, value) in changes {
            bytes[body.start + at.index(body.len())] = *value;
        }
        assert_exact::<T>(&bytes);
        bytes.extend(tail);
        assert_exact::<T>(&bytes);
    }

    pub(crate) fn what_decodes_of_anything_re_encodes<T: Samples + Clone>(bytes: &[u8]) {
        assert_exact::<T>(bytes);
        assert_exact::<T>(&[&T::KIND.header(), bytes].concat());
    }
}

/// Calls a check for every kind but the bundle, which has no body of its own.
macro_rules! for_every_kind {
    ($check:ident $arguments:tt) => {
        every_body!(call!($check, $arguments))
    };
}

macro_rules! call {
    (($check:ident, $arguments:tt) $($kind:ident $body:ty,)*) => { $( check::$check::<$body> $arguments; )* };
}

macro_rules! checks {
    ($($check:ident)*) => { $( #[test] fn $check() { for_every_kind!($check()); } )* };
}

checks! {
    samples_decode_as_themselves
    max_len_is_reached_and_never_exceeded
    no_number_changes_the_length
    every_truncation_is_an_error
    every_trailing_byte_is_an_error
    each_header_byte_has_its_error
    what_decodes_re_encodes_after_any_one_byte_changed
}

proptest! {
    #[test]
    fn what_decodes_re_encodes_after_many_changes(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![0..4_u8, any::<u8>()]), 1..6),
        tail in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        for_every_kind!(what_decodes_re_encodes_after_many_changes(which, &changes, &tail));
    }

    #[test]
    fn what_decodes_of_anything_re_encodes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for_every_kind!(what_decodes_of_anything_re_encodes(&bytes));
        let _ = Refused::parse(&bytes);
        let _ = Kind::of(&bytes);
        if let Ok(bundle) = Bundle::parse(&bytes) {
            prop_assert_eq!(&bundle.encode().unwrap()[..], &bytes[..]);
        }
    }

    #[test]
    fn what_decodes_as_a_bundle_re_encodes(
        parts in prop::array::uniform4(prop::collection::vec(any::<u8>(), 0..200)),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let [grant, claim, install, release] = &parts;
        let bundle = Bundle { grant, claim, install, release };
        let length = 12 + parts.iter().map(Vec::len).sum::<usize>();
        let Ok(encoded) = bundle.encode() else {
            prop_assert!(length > Bundle::MAX_LEN);
            return Ok(());
        };
        prop_assert_eq!(encoded.len(), length);
        prop_assert_eq!(Bundle::parse(&encoded), Ok(bundle));
        let mut changed = encoded.to_vec();
        for (at, value) in changes {
            changed[at.index(length)] = value;
        }
        if let Ok(bundle) = Bundle::parse(&changed) {
            prop_assert_eq!(&bundle.encode().unwrap()[..], &changed[..]);
        }
    }
}

#[test]
fn every_kind_has_its_checks() {
    macro_rules! kinds {
        (() $($kind:ident $body:ty,)*) => { [$( (Kind::$kind, <$body as Message>::KIND) ),*] };
    }
    let listed = every_body!(kinds!());
    assert!(listed.iter().all(|(kind, of_body)| kind == of_body));
    let checked: BTreeSet<Kind> = listed.into_iter().map(|(kind, _)| kind).chain([Kind::Bundle]).collect();
    assert_eq!(checked, BTreeSet::from(Kind::ALL));
}

//= spec/protocol.md#encoding
//# MSG-4. An encoder MUST use the one encoding given here.
//= spec/protocol.md#versioning
//# VER-4. A version 1 party MUST refuse the kinds 32 and 33.
#[test]
fn kinds_are_numbered_as_the_spec_says() {
    assert_eq!(VERSION, 1);
    for (kind, byte) in Kind::ALL.into_iter().zip(1..) {
        assert_eq!((kind.byte(), kind.header()), (byte, [b'S', b'K', 1, byte]));
    }
    assert_eq!(Kind::Unlock.byte(), 10);
    assert_eq!(Kind::FactoryReset.byte(), 17);
    for byte in 0..=u8::MAX {
        let found = Kind::ALL.into_iter().find(|kind| kind.byte() == byte);
        assert_eq!(Kind::of(&[b'S', b'K', 1, byte]), found.ok_or(WireError::Value));
    }
    assert_eq!(Kind::of(b"SK\x01"), Err(WireError::Truncated));
    assert_eq!(Kind::of(b"sK\x01\x01"), Err(WireError::Magic));
    assert_eq!(Kind::of(b"SK\x02\x01"), Err(WireError::Version { found: 2 }));
}

#[test]
fn messages_are_as_short_as_the_spec_says() {
    let lengths: Vec<usize> = Grant::samples(Size::High).iter().map(|grant| message(grant).len()).collect();
    assert!(*lengths.iter().min().unwrap() <= 150);
    assert!(*lengths.iter().max().unwrap() <= 200);
    const { assert!(Unlock::MAX_LEN <= 64) };
    assert_eq!(message(&Grant::samples(Size::Low)[0]).len(), 150);
}

/// Which values a byte of a message may take.
pub(crate) fn accepted<T: Samples + Clone>(body: &T, at: usize) -> Vec<u8> {
    let mut bytes = message(body);
    (0..=u8::MAX)
        .filter(|value| {
            bytes[at] = *value;
            parse::<T>(&bytes).is_ok()
        })
        .collect()
}

fn error<T: Samples + Clone>(body: &T, at: usize, value: u8) -> WireError {
    let mut bytes = message(body);
    bytes[at] = value;
    parse::<T>(&bytes).unwrap_err()
}

//= spec/protocol.md#encoding
//# MSG-6. A decoder MUST refuse a tag byte, an enumeration byte or a flag bit that version 1 does not define.
#[test]
fn enum_bytes_that_are_not_defined_are_refused() {
    let all = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
    // Open, lock and both; the bit reserved for online keys is refused.
    let grant = &Grant::samples(Size::Low)[0];
    assert_eq!(accepted(grant, 81), all(1, 3));
    //= spec/protocol.md#common-values
    //# MSG-15. A decoder MUST refuse rights in which neither bit 0 nor bit 1 is set.
    assert_eq!(error(grant, 81, 0), WireError::Value);
    //= spec/protocol.md#common-values
    //# MSG-16. A decoder MUST refuse rights in which any of the bits 2 to 7 is set.
    assert_eq!(error(grant, 81, 4), WireError::Value);
    assert_eq!(accepted(&Unlock::samples(Size::Low)[0], 5), all(1, 2));
    //= spec/protocol.md#errors-and-refusals
    //# ERR-3. A reason byte MUST be one of the table.
    assert_eq!(accepted(&RefusedBody::samples(Size::Low)[0], 36), all(1, 18));
    assert_eq!(accepted(&Reply::samples(Size::Low)[0], 5), all(1, 18));
    for undefined in [0, 19, 255] {
        assert_eq!(error(&RefusedBody::samples(Size::Low)[0], 36, undefined), WireError::Value);
    }

    // Tags: each variant's own is accepted, and none that is not defined.
    assert_tags::<Reply>(4, 2);
    assert_tags::<Withdrawn>(145, 3);
    assert_tags::<Report>(81, 4);
    assert_tags::<Command>(76, 6);
    assert_tags::<Done>(81, 6);
    for done in Done::samples(Size::Low) {
        let bytes = message(&done);
        let holding = match bytes[81] {
            1 | 2 => 91,
            6 => 88,
            _ => continue,
        };
        assert!((1..=3).contains(&bytes[holding]));
        for undefined in (0..=u8::MAX).filter(|tag| !(1..=3).contains(tag)) {
            assert_eq!(error(&done, holding, undefined), WireError::Value);
        }
    }
}

/// The tag at `at` takes every value in 1..=`count` among the samples, and no other decodes.
fn assert_tags<T: Samples + Clone>(at: usize, count: u8) {
    let mut seen: Vec<u8> = every_sample::<T>().map(|body| message(&body)[at]).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (1..=count).collect::<Vec<u8>>());
    for body in every_sample::<T>() {
        for undefined in (0..=u8::MAX).filter(|tag| !seen.contains(tag)) {
            assert_eq!(error(&body, at, undefined), WireError::Value, "{body:?}");
        }
    }
}

/// Where the fields of a grant with all limits begin.
mod full_grant {
    pub(crate) const OPTIONS: [usize; 5] = [82, 91, 100, 108, 119];
    pub(crate) const FROM: usize = 83;
    pub(crate) const UNTIL: usize = 92;
    pub(crate) const DAYS: usize = 101;
    pub(crate) const START: usize = 102;
    pub(crate) const END: usize = 104;
    pub(crate) const OFFSET: usize = 106;
    pub(crate) const NEXT_OFFSET: usize = 117;
    pub(crate) const USES: usize = 120;
}

//= spec/protocol.md#encoding
//# MSG-5. A decoder MUST refuse an optional field whose first byte is neither 0 nor 1.
#[test]
fn option_tags_are_zero_or_one() {
    let grant = Grant::samples(Size::High).pop().unwrap();
    for at in full_grant::OPTIONS {
        assert_eq!(message(&grant)[at], 1);
        for value in 2..=u8::MAX {
            assert_eq!(error(&grant, at, value), WireError::Option);
        }
    }
}

/// The full grant with these bytes at `at`.
fn full_grant_with(at: usize, bytes: &[u8]) -> Result<Grant, WireError> {
    let mut message = message(&Grant::samples(Size::Low).pop().unwrap());
    message[at..at + bytes.len()].copy_from_slice(bytes);
    parse(&message)
}

//= spec/protocol.md#encoding
//# MSG-7. A decoder MUST refuse a number outside the range given for its field.
#[test]
fn limits_that_mean_nothing_are_refused() {
    let grant = |at, bytes: &[u8]| full_grant_with(at, bytes).map(|grant| grant.limits);
    for (at, bytes) in [
        //= spec/protocol.md#encoding-of-limits
        //# LIM-3. A decoder MUST refuse a set of days that is empty or has bit 7 set.
        (full_grant::DAYS, &[0][..]),
        (full_grant::DAYS, &[0x80]),
        (full_grant::DAYS, &[0xff]),
        //= spec/protocol.md#encoding-of-limits
        //# LIM-4. A decoder MUST refuse a window whose start is above 1439.
        (full_grant::START, &1440_u16.to_le_bytes()),
        //= spec/protocol.md#encoding-of-limits
        //# LIM-6. A decoder MUST refuse a window whose start equals its end.
        (full_grant::START, &1_u16.to_le_bytes()),
        //= spec/protocol.md#encoding-of-limits
        //# LIM-5. A decoder MUST refuse a window whose end is 0 or above 1440.
        (full_grant::END, &0_u16.to_le_bytes()),
        (full_grant::END, &1441_u16.to_le_bytes()),
        //= spec/protocol.md#encoding-of-limits
        //# LIM-7. A decoder MUST refuse an offset outside −720 to 840.
        (full_grant::OFFSET, &(-721_i16).to_le_bytes()),
        (full_grant::OFFSET, &841_i16.to_le_bytes()),
        (full_grant::NEXT_OFFSET, &(-721_i16).to_le_bytes()),
        (full_grant::NEXT_OFFSET, &i16::MIN.to_le_bytes()),
        //= spec/protocol.md#encoding-of-limits
        //# LIM-2. A decoder MUST refuse limits of 0 uses.
        (full_grant::USES, &0_u32.to_le_bytes()),
        //= spec/protocol.md#encoding-of-limits
        //# LIM-1. A decoder MUST refuse limits whose `from` is not before their `until`, where both are there.
        (full_grant::FROM, &1_u64.to_le_bytes()),
        (full_grant::UNTIL, &0_u64.to_le_bytes()),
    ] {
        assert_eq!(grant(at, bytes), Err(WireError::Value), "{bytes:?} at {at}");
    }
    let limits = grant(full_grant::USES, &0x0102_0304_u32.to_le_bytes()).unwrap();
    assert_eq!(limits.max_uses(), Some(0x0102_0304));
    let limits = grant(full_grant::START, &0x0102_u16.to_le_bytes()).unwrap();
    assert_eq!(limits.schedule().unwrap().window(), (0x0102, 1));
    let limits = grant(full_grant::UNTIL, &0x0102_0304_0506_0708_u64.to_le_bytes()).unwrap();
    assert_eq!(limits.valid_until().unwrap().unix_seconds(), 0x0102_0304_0506_0708);
    let limits = grant(full_grant::NEXT_OFFSET, &(-90_i16).to_le_bytes()).unwrap();
    assert_eq!(limits.schedule().unwrap().next_offset().unwrap().offset.minutes(), -90);
}

#[test]
fn a_refusal_is_either_its_header_or_a_signed_whole() {
    assert_eq!(Refused::OPAQUE, *b"SK\x01\x0e");
    assert!(matches!(Refused::parse(&Refused::OPAQUE), Ok(Refused::Opaque)));
    for body in every_sample::<RefusedBody>() {
        let bytes = message(&body);
        let Ok(Refused::Signed(signed)) = Refused::parse(&bytes) else { panic!("not signed") };
        assert_eq!(*signed.claims(), body);
        for length in (0..bytes.len()).filter(|length| *length != HEADER_LEN) {
            assert_eq!(Refused::parse(&bytes[..length]).unwrap_err(), WireError::Truncated);
        }
        assert_eq!(Refused::parse(&[&bytes[..], &[0]].concat()).unwrap_err(), WireError::TooLong);
    }
}

//= spec/protocol.md#encoding
//# MSG-10. A decoder MUST refuse a message longer than MAX_LEN of its kind.
//= spec/protocol.md#message-bundle
//# MSG-17. A decoder MUST refuse a bundle in which bytes follow the fourth part.
#[test]
fn a_bundle_carries_the_longest_chain_exactly() {
    let (grant, claim) = ([1; Grant::MAX_LEN], [2; Claim::MAX_LEN]);
    let (install, release) = ([3; Install::MAX_LEN], [4; Release::MAX_LEN]);
    let longest = Bundle { grant: &grant, claim: &claim, install: &install, release: &release };
    let bytes = longest.encode().unwrap();
    assert_eq!((bytes.len(), Bundle::MAX_LEN), (580, 580));
    assert_eq!(bytes[..6], *b"SK\x01\x09\xbc\x00");
    assert_eq!(Bundle::parse(&bytes), Ok(longest));
    let shorter = Bundle { release: &release[1..], ..longest };
    for bundle in [longest, shorter] {
        let bytes = bundle.encode().unwrap();
        for length in 0..bytes.len() {
            assert_eq!(Bundle::parse(&bytes[..length]), Err(WireError::Truncated));
        }
    }
    let trailing = |bundle: Bundle<'_>| [&bundle.encode().unwrap()[..], &[0]].concat();
    assert_eq!(Bundle::parse(&trailing(shorter)), Err(WireError::Trailing));
    assert_eq!(Bundle::parse(&trailing(longest)), Err(WireError::TooLong));
    let longer = [0; Grant::MAX_LEN + 1];
    assert_eq!(Bundle { grant: &longer, ..longest }.encode(), Err(SealError::TooLong));
    assert_eq!(Bundle { grant: &vec![0; 65536], ..longest }.encode(), Err(SealError::TooLong));
    for at in 0..HEADER_LEN {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x40;
        let expected = match at {
            0 | 1 => WireError::Magic,
            2 => WireError::Version { found: 0x41 },
            _ => WireError::Kind { expected: Kind::Bundle, found: 0x49 },
        };
        assert_eq!(Bundle::parse(&bytes), Err(expected));
    }
}

#[test]
fn a_kept_message_is_stored_whole_and_read_back_only_if_it_is_one() {
    let bytes = message(&Grant::samples(Size::High)[0]);
    let stored = serde_json::to_value(Encoded::<Grant>::copy(&bytes).unwrap()).unwrap();
    assert!(stored.as_str().unwrap().starts_with("U0sB"));
    assert_eq!(*serde_json::from_value::<Encoded<Grant>>(stored).unwrap(), bytes[..]);
    let stored = postcard::to_allocvec(&Encoded::<Grant>::copy(&bytes).unwrap()).unwrap();
    assert_eq!(stored, postcard::to_allocvec(&bytes).unwrap());
    let read =
        |stored: &[u8]| postcard::from_bytes::<Encoded<Grant>>(&postcard::to_allocvec(&stored.to_vec()).unwrap());
    assert!(read(&bytes).is_ok());
    assert!(read(&bytes[1..]).is_err() && read(&message(&Claim::samples(Size::High)[0])).is_err());
    assert!(read(&[0; MAX_MESSAGE + 1]).is_err());
    let error = serde_json::from_value::<Encoded<Grant>>(serde_json::json!(bytes)).unwrap_err().to_string();
    assert!(error.ends_with("expected the bytes of a message, as text in base64url"), "{error}");
}
