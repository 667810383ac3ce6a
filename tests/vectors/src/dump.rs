//! The annotated dumps in the text of the spec: one for each kind, of the first case of it.

use sharekey::wire::Kind;

use super::samples::{self, Sample};

/// What stands before a dump; the name of a case of `messages.json` is between the backquotes.
const BEFORE: &str = "The bytes of the case `";
const FENCE: &str = "```";
const PER_LINE: usize = 16;

/// A piece of a message: how long, what, and whether it is shown as a number.
type Piece = (usize, &'static str, Shown);

#[derive(Clone, Copy)]
enum Shown {
    Bytes,
    Number,
    Signed,
}

use Shown::{Bytes, Number, Signed};

const SIGNATURE: [Piece; 2] = [(32, "signature: R", Bytes), (32, "signature: S", Bytes)];
const TAG: [Piece; 1] = [(16, "tag", Bytes)];

fn pieces(kind: Kind) -> Vec<Piece> {
    let body: &[Piece] = match kind {
        Kind::Grant => &GRANT,
        Kind::Withdraw => &WITHDRAW,
        Kind::Withdrawn => &WITHDRAWN,
        Kind::Claim => &[(32, "grant", Bytes), (32, "device", Bytes)],
        Kind::Challenge => &[(32, "lock", Bytes), (16, "nonce", Bytes)],
        Kind::Install => &[(32, "claim", Bytes), (16, "nonce", Bytes), (32, "agreement", Bytes)],
        Kind::Release => &[(32, "install", Bytes)],
        Kind::Receipt => &RECEIPT,
        Kind::Bundle => &BUNDLE,
        Kind::Unlock => {
            &[(1, "slot", Number), (1, "action", Number), (16, "lock nonce", Bytes), (16, "guest nonce", Bytes)]
        }
        Kind::Reply => &[(1, "outcome", Number), (16, "unlock", Bytes)],
        Kind::Command => &COMMAND,
        Kind::Done => &DONE,
        Kind::Refused => &[(32, "request", Bytes), (1, "reason", Number)],
        Kind::Provision => &PROVISION,
        Kind::Provisioned => &PROVISIONED,
        Kind::FactoryReset => &[(32, "lock", Bytes), (16, "nonce", Bytes)],
        Kind::Connect => &[(1, "purpose", Number)],
        other => panic!("no such kind: {other:?}"),
    };
    let end: &[Piece] = match kind {
        Kind::Challenge | Kind::Connect | Kind::Bundle => &[],
        Kind::Unlock | Kind::Reply | Kind::Provision | Kind::FactoryReset => &TAG,
        _ => &SIGNATURE,
    };
    [&[(4, "header", Bytes)], body, end].concat()
}

const GRANT: [Piece; 20] = [
    (32, "lock", Bytes),
    (4, "epoch", Number),
    (1, "slot", Number),
    (4, "generation", Number),
    (32, "subject", Bytes),
    (1, "rights", Number),
    (1, "limits: from is there", Number),
    (8, "from", Number),
    (1, "until is there", Number),
    (8, "until", Number),
    (1, "schedule is there", Number),
    (1, "days", Number),
    (2, "start", Number),
    (2, "end", Number),
    (2, "offset", Signed),
    (1, "next is there", Number),
    (8, "next: at", Number),
    (2, "next: offset", Signed),
    (1, "uses is there", Number),
    (4, "uses", Number),
];
const WITHDRAW: [Piece; 5] =
    [(32, "lock", Bytes), (4, "epoch", Number), (1, "slot", Number), (4, "generation", Number), (32, "grant", Bytes)];
const WITHDRAWN: [Piece; 7] = [
    (32, "withdraw: lock", Bytes),
    (4, "withdraw: epoch", Number),
    (1, "withdraw: slot", Number),
    (4, "withdraw: generation", Number),
    (32, "withdraw: grant", Bytes),
    (1, "outcome", Number),
    (32, "install", Bytes),
];
const RECEIPT: [Piece; 8] = [
    (32, "install", Bytes),
    (32, "lock", Bytes),
    (4, "epoch", Number),
    (1, "slot", Number),
    (4, "generation", Number),
    (32, "grant", Bytes),
    (32, "device", Bytes),
    (32, "agreement", Bytes),
];
const BUNDLE: [Piece; 8] = [
    (2, "length of grant", Number),
    (184, "grant", Bytes),
    (2, "length of claim", Number),
    (132, "claim", Bytes),
    (2, "length of install", Number),
    (148, "install", Bytes),
    (2, "length of release", Number),
    (100, "release", Bytes),
];
const COMMAND: [Piece; 7] = [
    (32, "lock", Bytes),
    (4, "epoch", Number),
    (16, "lock nonce", Bytes),
    (16, "owner nonce", Bytes),
    (1, "operation", Number),
    (1, "slot", Number),
    (4, "generation", Number),
];
const DONE: [Piece; 8] = [
    (32, "command", Bytes),
    (32, "lock", Bytes),
    (4, "epoch", Number),
    (1, "completed", Number),
    (1, "slot", Number),
    (4, "generation", Number),
    (4, "left: floor", Number),
    (1, "left: holding", Number),
];
const PROVISION: [Piece; 4] =
    [(16, "lock nonce", Bytes), (16, "owner nonce", Bytes), (32, "owner", Bytes), (32, "service", Bytes)];
const PROVISIONED: [Piece; 5] =
    [(32, "lock", Bytes), (4, "epoch", Number), (32, "owner", Bytes), (32, "service", Bytes), (16, "card", Bytes)];

fn label((_, what, shown): Piece, bytes: &[u8]) -> String {
    let mut wide = [0; 8];
    wide.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    let number = u64::from_le_bytes(wide);
    match shown {
        Bytes => what.to_owned(),
        Number => format!("{what}: {number}"),
        Signed => format!("{what}: {}", i16::from_le_bytes([wide[0], wide[1]])),
    }
}

/// The dump of a sample, a line for each piece or 16 bytes of it.
fn dump(sample: &Sample) -> String {
    let (mut text, mut at) = (String::new(), 0);
    for piece in pieces(sample.kind) {
        let bytes = &sample.bytes[at..at + piece.0];
        for (line, part) in bytes.chunks(PER_LINE).enumerate() {
            let hex = part.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
            let what = if line == 0 { label(piece, bytes) } else { String::new() };
            text += format!("{at:4}  {hex:47}  {what}").trim_end();
            text.push('\n');
            at += part.len();
        }
    }
    assert_eq!(at, sample.bytes.len(), "{}", sample.name);
    text
}

/// The text of the spec with every dump in it made anew.
pub fn rewritten(spec: &str) -> String {
    let samples = samples::all();
    let (mut text, mut lines) = (String::new(), spec.lines());
    while let Some(line) = lines.next() {
        text = text + line + "\n";
        let Some(name) = line.strip_prefix(BEFORE).and_then(|rest| rest.split('`').next()) else { continue };
        let sample = samples.iter().find(|sample| sample.name == name).unwrap_or_else(|| panic!("no case {name}"));
        text += &format!("\n{FENCE}text\n{}{FENCE}\n", dump(sample));
        // What stood there before.
        let mut fences = 0;
        while fences < 2 {
            fences += usize::from(lines.next().expect("a dump ends").starts_with(FENCE));
        }
    }
    text
}

/// The name of the case that each dump of the spec is of, and its bytes as they stand in the text.
pub fn in_text(spec: &str) -> Vec<(String, Vec<u8>)> {
    let parts = spec.split(BEFORE).skip(1);
    parts
        .map(|part| {
            let name = part.split('`').next().unwrap().to_owned();
            let block = part.split(&format!("{FENCE}text\n")).nth(1).unwrap().split(FENCE).next().unwrap();
            let hex = block.lines().flat_map(|line| line[6..].chars().take(3 * PER_LINE - 1)).filter(|c| *c != ' ');
            (name, super::peer::request::unhex(&hex.collect::<String>()).expect("a dump is hexadecimal"))
        })
        .collect()
}
