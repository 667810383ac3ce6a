//! `codes.json`: share codes, as they are issued, typed, mistyped and redeemed.

use crate::provider::Provider;
use serde_json::{Value, json};
use sharekey::code::ShareCode;
use sharekey::error::CodeError;

use super::keys::draw;
use super::peer::fail::error_name;
use super::peer::form::{hex, key};
use super::peer::request::unhex;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE: &str = "7K3Q-XM9T-FR2A-W8BC-4DFY";

pub fn file() -> Value {
    let mut cases = subjects();
    cases.extend((0..6).map(issued));
    cases.extend(spellings());
    cases.extend(separators());
    cases.extend(bad_texts());
    cases.extend(wrong_symbols());
    cases.extend(swaps());
    super::file(
        "Share codes. subject: a text, and the key that it leads to. issue: 18 bytes of entropy, the low five bits \
         of each a symbol, and the code. read: a text as somebody types it, and the code as it is shown, or the error.",
        json!({}),
        cases,
    )
}

fn subjects() -> Vec<Value> {
    let codes = [CODE, "0000-0000-0000-0000-0000", "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZRM", "0123-4567-89AB-CDEF-GH8B"];
    codes.map(|code| subject(&format!("subject of {code}"), code)).to_vec()
}

fn subject(name: &str, text: &str) -> Value {
    let code = ShareCode::parse(text).unwrap();
    let (canonical, public) = (code.expose().as_str().to_owned(), code.subject(&Provider).unwrap());
    json!({
        "name": name,
        "op": "subject",
        "text": text,
        "code": canonical,
        "seed": hex(code.redeem(&Provider).expose()),
        "subject": key(&public),
    })
}

fn issued(number: usize) -> Value {
    let entropy = draw("the 18 data symbols, a byte each", &format!("code {number}"), 18);
    let mut rng = super::peer::entropy::Entropy::of(unhex(entropy["hex"].as_str().unwrap()));
    let code = ShareCode::issue(&mut rng);
    let text = code.expose().as_str().to_owned();
    json!({ "name": format!("issue {number}"), "op": "issue", "entropy": [entropy], "code": text })
}

fn read(name: &str, text: &str, expected: Result<&str, CodeError>) -> Value {
    let found = ShareCode::parse(text);
    let mut case = json!({ "name": name, "op": "read", "text": text });
    match (found, expected) {
        (Ok(code), Ok(expected)) => {
            assert_eq!(code.expose().as_str(), expected);
            case["code"] = expected.into();
        }
        (Err(found), Err(expected)) => {
            assert_eq!(found, expected, "{text}");
            case["error"] = error_name(&found).into();
            case["rule"] = rule(found).into();
        }
        (found, _) => panic!("{text}: {:?}", found.err()),
    }
    case
}

fn rule(error: CodeError) -> &'static str {
    match error {
        CodeError::TooShort | CodeError::TooLong => "COD-7",
        CodeError::CheckFailed => "COD-9",
        _ => "COD-6",
    }
}

fn spellings() -> Vec<Value> {
    let digits = "0123-4567-89AB-CDEF-GH8B";
    [
        ("as shown", CODE, CODE),
        ("without hyphens", "7K3QXM9TFR2AW8BC4DFY", CODE),
        ("in lower case", "7k3q-xm9t-fr2a-w8bc-4dfy", CODE),
        ("with spaces", " 7K3Q XM9T FR2A W8BC 4DFY ", CODE),
        ("with a line break, tabs and form feeds", "7K3Q\r\nXM9T\tFR2A\u{b}W8BC\u{c}4DFY", CODE),
        ("hyphens anywhere", "-7--K3Q-X-M9TFR2AW8-BC4DFY-", CODE),
        ("O for 0", "O123-4567-89AB-CDEF-GH8B", digits),
        ("o for 0", "o123-4567-89AB-CDEF-GH8B", digits),
        ("I for 1", "0I23-4567-89AB-CDEF-GH8B", digits),
        ("i for 1", "0i23-4567-89ab-cdef-gh8b", digits),
        ("L for 1", "0L23-4567-89AB-CDEF-GH8B", digits),
        ("l for 1", "0l23-4567-89ab-cdef-gh8b", digits),
    ]
    .map(|(name, text, code)| read(&format!("read {name}"), text, Ok(code)))
    .to_vec()
}

fn separators() -> Vec<Value> {
    let ignored = "\u{85}\u{a0}\u{ad}\u{1680}\u{2000}\u{200a}\u{200b}\u{200f}\u{2010}\u{2015}\u{2028}\u{2029}\u{202a}\u{202e}\u{202f}\u{2043}\u{205f}\u{2060}\u{2069}\u{2212}\u{3000}\u{fe58}\u{fe63}\u{feff}\u{ff0d}";
    let name = |c: char| format!("read with U+{:04X} between the groups", u32::from(c));
    ignored.chars().map(|c| read(&name(c), &CODE.replace('-', &c.to_string()), Ok(CODE))).collect()
}

fn bad_texts() -> Vec<Value> {
    let mut cases: Vec<_> = [
        ("nothing", "", CodeError::TooShort),
        ("separators only", "---- ----", CodeError::TooShort),
        ("19 symbols", "7K3Q-XM9T-FR2A-W8BC-4DF", CodeError::TooShort),
        ("21 symbols", "7K3Q-XM9T-FR2A-W8BC-4DFY0", CodeError::TooLong),
        ("the code twice", "7K3QXM9TFR2AW8BC4DFY7K3QXM9TFR2AW8BC4DFY", CodeError::TooLong),
        ("the letter U", "UK3Q-XM9T-FR2A-W8BC-4DFY", CodeError::LetterU),
        ("the letter u", "uk3q-xm9t-fr2a-w8bc-4dfy", CodeError::LetterU),
        ("the letter U, too short", "U", CodeError::LetterU),
        ("an unknown symbol before the letter U", "!U", CodeError::UnknownSymbol),
        ("an unknown symbol behind the letter U", "U!", CodeError::UnknownSymbol),
        ("the example of the design", "7K3Q-XM9T-FR2A-W8BC-4DHP", CodeError::CheckFailed),
        ("all ones", "1111-1111-1111-1111-1111", CodeError::CheckFailed),
    ]
    .map(|(name, text, error)| read(&format!("read {name}"), text, Err(error)))
    .to_vec();
    for c in [
        '!',
        '*',
        '~',
        '$',
        '=',
        '_',
        '.',
        '/',
        '\u{0}',
        '\u{e9}',
        '\u{663}',
        '\u{ff13}',
        '\u{1f511}',
        '\u{131}',
        '\u{2142}',
    ] {
        let name = format!("read an unknown symbol, U+{:04X}", u32::from(c));
        cases.push(read(&name, &CODE.replace('3', &c.to_string()), Err(CodeError::UnknownSymbol)));
    }
    cases
}

/// The code with other symbols at some places.
fn with(changes: &[(usize, u8)]) -> String {
    let mut symbols: Vec<u8> = CODE.bytes().filter(|byte| *byte != b'-').collect();
    for (at, by) in changes {
        let value = ALPHABET.iter().position(|symbol| *symbol == symbols[*at]).unwrap();
        symbols[*at] = ALPHABET[value ^ usize::from(*by)];
    }
    String::from_utf8(symbols).unwrap()
}

fn wrong_symbols() -> Vec<Value> {
    let mut cases = Vec::new();
    for at in 0..20 {
        for by in [1, 16, 31] {
            let name = format!("read one wrong symbol, at {at}, by {by}");
            cases.push(read(&name, &with(&[(at, by)]), Err(CodeError::CheckFailed)));
        }
    }
    for (step, first) in (0..20_u8).enumerate() {
        let second = (first + 1 + u8::try_from(step % 7).unwrap()) % 20;
        let (a, b) = (1 + first % 31, 31 - first % 30);
        let name = format!("read two wrong symbols, at {first} and {second}");
        let text = with(&[(usize::from(first), a), (usize::from(second), b)]);
        cases.push(read(&name, &text, Err(CodeError::CheckFailed)));
    }
    cases
}

fn swaps() -> Vec<Value> {
    let symbols: Vec<u8> = CODE.bytes().filter(|byte| *byte != b'-').collect();
    let pairs =
        (0..20).flat_map(|first| [1, 5, 18].map(|step| (first, first + step))).filter(|(_, second)| *second < 20);
    let mut cases = Vec::new();
    for (first, second) in pairs {
        let mut swapped = symbols.clone();
        swapped.swap(first, second);
        if swapped != symbols {
            let name = format!("read with the symbols {first} and {second} swapped");
            cases.push(read(&name, std::str::from_utf8(&swapped).unwrap(), Err(CodeError::CheckFailed)));
        }
    }
    cases
}
