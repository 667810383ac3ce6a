//! `decode_errors.json`: bytes that are no message, and what is wrong with them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sharekey::error::WireError;
use sharekey::message::{Bundle, Refused};
use sharekey::wire::{Authenticator, Kind, Message, Unverified};

use sharekey_stage::every_body;
use sharekey_stage::ops::Order;

use super::messages::kind_name;
use super::peer::fail::error_name;
use super::peer::form::hex;
use super::samples::{self, Sample};

/// Does something for the body of a kind; the bundle has none of its own.
macro_rules! by_body {
    (($kind:expr, $of:ident, $args:tt, $bundle:expr) $($name:ident $body:ty,)*) => {
        match $kind {
            $(Kind::$name => $of::<$body> $args,)*
            Kind::Bundle => $bundle,
            other => panic!("no such kind: {other:?}"),
        }
    };
}
pub(crate) use by_body;

/// What the library says of bytes where a message of this kind is expected.
pub fn decoded(kind: Kind, bytes: &[u8]) -> Result<(), WireError> {
    fn exact<T: Message>(bytes: &[u8]) -> Result<(), WireError> {
        Unverified::<T>::parse(bytes).map(|_| ())
    }
    // One that says nothing is whole without a body.
    if kind == Kind::Refused {
        return Refused::parse(bytes).map(|_| ());
    }
    every_body!(by_body!(kind, exact, (bytes), Bundle::parse(bytes).map(|_| ())))
}

pub fn max_len(kind: Kind) -> usize {
    fn of<T: Message>() -> usize {
        T::MAX_LEN
    }
    every_body!(by_body!(kind, of, (), Bundle::MAX_LEN))
}

fn authenticator_len(kind: Kind) -> usize {
    fn of<T: Message>() -> usize {
        T::Auth::LEN
    }
    every_body!(by_body!(kind, of, (), 0))
}

/// One case; the library must say the same.
fn case(name: String, kind: Kind, bytes: &[u8], (error, rule): (&str, &str)) -> Value {
    let found = decoded(kind, bytes).expect_err(&name);
    assert_eq!(error_name(&found), error, "{name}");
    json!({ "name": name, "kind": kind_name(kind), "bytes": hex(bytes), "error": error, "rule": rule })
}

/// The bytes with some replaced, from an offset on.
pub fn patched(bytes: &[u8], at: usize, by: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + by.len()].copy_from_slice(by);
    bytes
}

fn sample(name: &str) -> &'static Sample {
    samples::all().iter().find(|sample| sample.name == name).unwrap_or_else(|| panic!("no sample {name}"))
}

/// The first sample of each kind; of a refusal, the signed one.
fn firsts() -> Vec<&'static Sample> {
    let all = samples::all();
    Kind::ALL.iter().map(|kind| all.iter().find(|sample| sample.kind == *kind).unwrap()).collect()
}

const TRUNCATED: (&str, &str) = ("Truncated", "MSG-9");
const VALUE: (&str, &str) = ("Value", "MSG-6");

pub fn file() -> Value {
    let mut cases = Vec::new();
    for sample in firsts() {
        cases.extend(cut(sample));
        cases.extend(prolonged(sample));
        cases.extend(headers(sample));
    }
    cases.extend(options());
    cases.extend(enumerations());
    cases.extend(flags());
    cases.extend(ranges());
    cases.extend(bundles());
    super::file(
        "Bytes that are not a message of the kind that is expected, and the error that a decoder gives. Authenticators \
         are not looked at. Of a Bundle only the division into parts is decoded here.",
        json!({}),
        cases,
    )
}

fn cut(sample: &Sample) -> Vec<Value> {
    let full = sample.bytes.len();
    let auth = authenticator_len(sample.kind);
    let lengths: BTreeSet<usize> =
        [0, 1, 3, 4, 5, auth + 3, auth + 4, full / 2, full - auth - 1, full - auth, full - 1].into();
    let opaque = |length: &usize| sample.kind == Kind::Refused && *length == 4;
    lengths
        .into_iter()
        .filter(|length| *length < full && !opaque(length))
        .map(|length| {
            let name = format!("{}: cut after {length} of {full} bytes", kind_name(sample.kind));
            case(name, sample.kind, &sample.bytes[..length], TRUNCATED)
        })
        .collect()
}

fn prolonged(sample: &Sample) -> Vec<Value> {
    let (kind, good) = (sample.kind, &sample.bytes);
    let max = max_len(kind);
    let one_more = if good.len() < max { ("Trailing", "MSG-8") } else { ("TooLong", "MSG-10") };
    let named = |what: &str| format!("{}: {what}", kind_name(kind));
    let (body, auth) = good.split_at(good.len() - authenticator_len(kind));
    let mut cases = vec![
        case(named("a byte behind it"), kind, &[&good[..], &[0]].concat(), one_more),
        case(
            named("zeros up to one more than MAX_LEN"),
            kind,
            &[&good[..], &vec![0; max + 1 - good.len()]].concat(),
            ("TooLong", "MSG-10"),
        ),
    ];
    if !auth.is_empty() {
        cases.push(case(named("a byte before the authenticator"), kind, &[body, &[0], auth].concat(), one_more));
    }
    cases
}

fn headers(sample: &Sample) -> Vec<Value> {
    let (kind, good) = (sample.kind, &sample.bytes);
    let named = |what: String| format!("{}: {what}", kind_name(kind));
    let mut cases = vec![
        case(named("first byte of the magic".to_owned()), kind, &patched(good, 0, b"s"), ("Magic", "MSG-11")),
        case(named("second byte of the magic".to_owned()), kind, &patched(good, 1, b"k"), ("Magic", "MSG-11")),
        case(named("magic and version wrong".to_owned()), kind, &patched(good, 0, &[0, 0, 0]), ("Magic", "MSG-11")),
        case(named("version and kind wrong".to_owned()), kind, &patched(good, 2, &[2, 99]), ("Version", "MSG-12")),
    ];
    for version in [0, 2, 255] {
        cases.push(case(
            named(format!("version {version}")),
            kind,
            &patched(good, 2, &[version]),
            ("Version", "MSG-12"),
        ));
    }
    let next = kind.byte() % 21 + 1;
    for other in [0, next, 22, 31, 34, 255] {
        cases.push(case(named(format!("kind {other}")), kind, &patched(good, 3, &[other]), ("Kind", "MSG-13")));
    }
    for reserved in [32, 33] {
        cases.push(case(
            named(format!("reserved kind {reserved}")),
            kind,
            &patched(good, 3, &[reserved]),
            ("Kind", "VER-4"),
        ));
    }
    let long = patched(&[&good[..], &[0; 600]].concat(), 3, &[next]);
    cases.push(case(named("another kind, and too long".to_owned()), kind, &long, ("Kind", "MSG-13")));
    cases
}

/// Cases of one sample: what is changed, where, to what.
fn changed(sample_name: &str, changes: &[(&str, usize, &[u8])], expected: (&str, &str)) -> Vec<Value> {
    let sample = sample(sample_name);
    let one = |(what, at, by): &(&str, usize, &[u8])| {
        let name = format!("{}: {what}", kind_name(sample.kind));
        case(name, sample.kind, &patched(&sample.bytes, *at, by), expected)
    };
    changes.iter().map(one).collect()
}

fn options() -> Vec<Value> {
    // The limits of this grant: from 82, until 91, schedule 100, next 108, uses 119.
    let fields = [("from", 82), ("until", 91), ("schedule", 100), ("next", 108), ("uses", 119)];
    let mut cases = Vec::new();
    for (field, at) in fields {
        for byte in [2, 127, 128, 255] {
            let what = format!("{field} begins with {byte}");
            cases.extend(changed("Grant: every limit", &[(&what, at, &[byte])], ("Option", "MSG-5")));
        }
    }
    // An absent field: what follows is read as the next field.
    cases.extend(changed("Grant: every limit", &[("uses said to be absent", 119, &[0])], ("Trailing", "MSG-8")));
    cases.extend(changed("Grant: no limits", &[("uses said to be there", 85, &[1])], ("Truncated", "MSG-9")));
    cases
}

fn enumerations() -> Vec<Value> {
    let places: [(&str, &str, usize, &[u8]); 10] = [
        ("Connect: to download", "purpose", 4, &[0, 3, 255]),
        ("Withdrawn: released", "outcome", 145, &[0, 4, 255]),
        ("Report: of that record", "state", 81, &[0, 5, 255]),
        ("Unlock: open", "action", 5, &[0, 3, 255]),
        ("Reply: accepted", "outcome", 4, &[0, 3, 255]),
        ("Reply: refused, Busy", "reason", 5, &[0, 19, 255]),
        ("Command: activate", "operation", 76, &[0, Order::NONE, 255]),
        ("Command: open", "action", 77, &[0, 3, 255]),
        ("Done: activate", "completed", 81, &[0, Order::NONE, 255]),
        ("Done: inspect, a key is installed", "holding", 88, &[0, 4, 255]),
    ];
    let mut cases = Vec::new();
    for (name, field, at, bytes) in places {
        for byte in bytes {
            cases.extend(changed(name, &[(&format!("{field} {byte}"), at, &[*byte])], VALUE));
        }
    }
    for byte in [0, 19, 255] {
        cases.extend(changed("Refused: StaleGeneration", &[(&format!("reason {byte}"), 36, &[byte])], VALUE));
    }
    // A defined tag with the fields of another.
    cases.extend(changed(
        "Withdrawn: released",
        &[("never released, with an install", 145, &[1])],
        ("Trailing", "MSG-8"),
    ));
    cases.extend(changed("Withdrawn: settled", &[("released, without an install", 145, &[2])], TRUNCATED));
    cases.extend(changed("Reply: accepted", &[("refused, the unlock read as a reason", 4, &[2])], VALUE));
    cases.extend(changed(
        "Reply: refused, Busy",
        &[("accepted, the unlock read as a battery", 4, &[1])],
        ("Value", "MSG-7"),
    ));
    cases.extend(changed("Command: activate", &[("inspect, with a number", 76, &[6])], ("Trailing", "MSG-8")));
    cases.extend(changed("Command: inspect", &[("activate, without a number", 76, &[1])], TRUNCATED));
    cases.extend(changed(
        "Done: inspect, a key is installed",
        &[("empty, with a grant", 88, &[2])],
        ("Trailing", "MSG-8"),
    ));
    cases.extend(changed("Done: inspect, empty", &[("installed, without a grant", 88, &[3])], TRUNCATED));
    cases
}

fn flags() -> Vec<Value> {
    let mut cases = changed("Grant: no limits", &[("rights 0", 81, &[0])], ("Value", "MSG-15"));
    for bits in [4, 5, 7, 8, 16, 32, 64, 128, 131, 255_u8] {
        cases.extend(changed("Grant: no limits", &[(&format!("rights {bits}"), 81, &[bits])], ("Value", "MSG-16")));
    }
    for days in [0, 128, 255_u8] {
        cases.extend(changed("Grant: every limit", &[(&format!("days {days}"), 101, &[days])], ("Value", "LIM-3")));
    }
    cases
}

fn ranges() -> Vec<Value> {
    let name = "Grant: every limit";
    let mut cases = Vec::new();
    // Days 101, start 102, end 104, offset 106, next 108: at 109, offset 117. Uses 119: 120.
    for start in [1440_u16, 65535] {
        cases.extend(changed(name, &[(&format!("start {start}"), 102, &start.to_le_bytes())], ("Value", "LIM-4")));
    }
    for end in [0_u16, 1441, 65535] {
        cases.extend(changed(name, &[(&format!("end {end}"), 104, &end.to_le_bytes())], ("Value", "LIM-5")));
    }
    cases.extend(changed(name, &[("start equals end", 104, &480_u16.to_le_bytes())], ("Value", "LIM-6")));
    for offset in [-721_i16, 841, i16::MIN, i16::MAX] {
        let bytes = offset.to_le_bytes();
        cases.extend(changed(name, &[(&format!("offset {offset}"), 106, &bytes)], ("Value", "LIM-7")));
        cases.extend(changed(name, &[(&format!("next offset {offset}"), 117, &bytes)], ("Value", "LIM-7")));
    }
    let moment = |seconds: u64| seconds.to_le_bytes();
    cases.extend(changed(name, &[("until equals from", 92, &moment(samples::FROM))], ("Value", "LIM-1")));
    cases.extend(changed(name, &[("until before from", 92, &moment(samples::FROM - 1))], ("Value", "LIM-1")));
    cases.extend(changed(name, &[("from after until", 83, &moment(u64::MAX))], ("Value", "LIM-1")));
    cases.extend(changed(name, &[("uses 0", 120, &[0; 4])], ("Value", "LIM-2")));
    for byte in [101, 128, 254_u8] {
        for (name, at) in [("Reply: accepted", 21), ("Done: activate", 80)] {
            cases.extend(changed(name, &[(&format!("battery {byte}"), at, &[byte])], ("Value", "MSG-7")));
        }
    }
    for (name, at) in [
        ("Provisioned: that lock", 104),
        ("Done: transfer", 146),
        ("Done: inspect, empty", 83),
        ("Report: of that record", 82),
    ] {
        let what = format!("no slots, in {name}");
        cases.extend(changed(name, &[(&what, at, &[0])], ("Value", "MSG-7")));
    }
    cases
}

fn bundles() -> Vec<Value> {
    let bundle = sample("Bundle: that download").bytes.as_slice();
    let parsed = Bundle::parse(bundle).unwrap();
    let parts = [parsed.grant, parsed.claim, parsed.install, parsed.release];
    let short = &sample("Bundle: the shortest; its parts do not belong together").bytes;
    let all = |parts: &[&[u8]]| super::forge::bundle(parts);
    let length = |by: u16| patched(bundle, 4, &by.to_le_bytes());
    let [grant, claim, install, _] = parts;
    let mut cases = vec![
        ("a fifth part", [&short[..], &[0, 0]].concat(), ("Trailing", "MSG-17")),
        ("three parts", all(&[grant, claim, install]), TRUNCATED),
        ("no part", all(&[]), TRUNCATED),
        ("a length cut short", all(&[])[..4].iter().copied().chain([0]).collect(), TRUNCATED),
        ("a first part longer than the rest", length(65535), TRUNCATED),
        ("a first part one byte longer than the rest", length(575), TRUNCATED),
        ("a last part one byte longer than it is", patched(bundle, 478, &101_u16.to_le_bytes()), TRUNCATED),
        (
            "a last part one byte shorter than it is",
            patched(bundle, 478, &99_u16.to_le_bytes()),
            ("Trailing", "MSG-17"),
        ),
    ];
    cases.push(("lengths in big-endian", patched(bundle, 4, &[0, 188]), TRUNCATED));
    let named = |what: &str| format!("Bundle: {what}");
    cases.into_iter().map(|(what, bytes, expected)| case(named(what), Kind::Bundle, &bytes, expected)).collect()
}
