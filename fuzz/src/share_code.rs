//! Any text as a share code, against a reader that was written the slow way; and codes out of any entropy. Any text as a
//! link.

use rand_core::{TryCryptoRng, TryRng};
use sharekey::code::{Link, ShareCode};
use sharekey::crypto::{Sign as _, Signer};
use sharekey::error::CodeError;
use sharekey::guest::Account;
use sharekey_model::symbolic::Symbolic;

use crate::choices::Choices;

const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let expected = read(&text);
    match (ShareCode::parse(&text), &expected) {
        (Ok(code), Ok(symbols)) => good(code, symbols),
        (Err(error), Err(expected)) => {
            assert_eq!(error, *expected, "{text:?}");
            crate::blamed(&error);
        }
        (parsed, _) => panic!("{text:?} is {parsed:?}, and should be {expected:?}"),
    }
    issued(data);
    link(&text);
}

/// A link, a card or a key that is read is shown so that it is read again.
fn link(text: &str) {
    let links = ["", "sharekey:card/", "sharekey:key/"].map(|before| Link::parse(&format!("{before}{text}")));
    for link in links.into_iter().filter_map(|link| link.map_err(|error| crate::blamed(&error)).ok()) {
        assert_eq!(Link::parse(link.expose().as_str()).as_ref(), Ok(&link), "parse, format, parse");
    }
}

fn good(code: ShareCode, symbols: &[u8]) {
    let shown = code.expose();
    let groups: Vec<String> = symbols
        .chunks(4)
        .map(|group| group.iter().map(|symbol| char::from(ALPHABET.as_bytes()[usize::from(*symbol)])).collect())
        .collect();
    assert_eq!(shown.as_str(), groups.join("-"));
    let again = ShareCode::parse(shown.as_str()).unwrap();
    assert!(again == code && again.expose().as_str() == shown.as_str(), "parse, format, parse");
    assert!(!format!("{code:?}{shown:?}").contains(&groups[0]), "a code is shown");
    let subject = code.subject(&Symbolic).unwrap();
    let account = Account::redeem(&Symbolic, again).unwrap();
    assert_eq!(*account.public_key(), subject);
    let signer = Signer::from_seed(&Symbolic, &code.redeem(&Symbolic)).unwrap();
    assert_eq!(*signer.public(), subject);
}

/// What is drawn reads back; with one or two other symbols it does not.
fn issued(data: &[u8]) {
    let code = ShareCode::issue(&mut Bytes(data));
    let shown = code.expose();
    let symbols = read(shown.as_str()).unwrap();
    let drawn: Vec<u8> = data.iter().copied().chain(std::iter::repeat(0)).take(18).map(|byte| byte & 31).collect();
    assert_eq!(symbols[..18], drawn);
    let mut choices = Choices::new(data);
    let mut typed: Vec<char> = shown.as_str().chars().collect();
    let (first, second) = (choices.below(20), choices.below(20));
    for at in [first, second] {
        let at = at + at / 4;
        typed[at] = choices.pick(&ALPHABET.chars().collect::<Vec<_>>());
    }
    let typed: String = typed.into_iter().collect();
    let same = typed == shown.as_str();
    assert_eq!(ShareCode::parse(&typed).map(|_| ()), if same { Ok(()) } else { Err(CodeError::CheckFailed) });
    let _ = Symbolic.signing_key(&code.redeem(&Symbolic));
}

// --- the slow reader ---

fn read(text: &str) -> Result<Vec<u8>, CodeError> {
    let kept: Vec<char> = text.chars().filter(|c| !ignored(*c)).map(|c| c.to_ascii_uppercase()).collect();
    let value = |c: &char| match c {
        'O' => Some(0),
        'I' | 'L' => Some(1),
        c => ALPHABET.find(*c).and_then(|at| u8::try_from(at).ok()),
    };
    if kept.iter().any(|c| *c != 'U' && value(c).is_none()) {
        return Err(CodeError::UnknownSymbol);
    }
    if kept.contains(&'U') {
        return Err(CodeError::LetterU);
    }
    let symbols: Vec<u8> = kept.iter().filter_map(value).collect();
    match symbols.len() {
        0..20 => Err(CodeError::TooShort),
        20 if [2, 4].into_iter().all(|root| at(&symbols, root) == 0) => Ok(symbols),
        20 => Err(CodeError::CheckFailed),
        _ => Err(CodeError::TooLong),
    }
}

/// As the documentation of `sharekey::code` lists them.
fn ignored(c: char) -> bool {
    let ranges = [
        ('\t', '\r'),
        ('\u{2010}', '\u{2015}'),
        ('\u{200b}', '\u{200f}'),
        ('\u{202a}', '\u{202e}'),
        ('\u{2060}', '\u{2069}'),
    ];
    let single = ['-', ' ', '\u{ad}', '\u{2043}', '\u{2212}', '\u{fe58}', '\u{fe63}', '\u{ff0d}', '\u{feff}'];
    // Unicode's White_Space beyond ASCII.
    let space = ['\u{85}', '\u{a0}', '\u{1680}', '\u{2028}', '\u{2029}', '\u{202f}', '\u{205f}', '\u{3000}'];
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&c))
        || single.contains(&c)
        || space.contains(&c)
        || ('\u{2000}'..='\u{200a}').contains(&c)
}

/// The code's polynomial at a point of GF(32), by sums of products.
fn at(symbols: &[u8], point: u8) -> u8 {
    let power = |exponent: usize| (0..exponent).fold(1, |power, _| times(power, point));
    symbols.iter().enumerate().fold(0, |sum, (place, symbol)| sum ^ times(*symbol, power(19 - place)))
}

/// Schoolbook multiplication modulo x⁵ + x² + 1.
fn times(a: u8, b: u8) -> u8 {
    let product = (0..5).filter(|bit| b >> bit & 1 == 1).fold(0_u16, |product, bit| product ^ u16::from(a) << bit);
    let reduced = (5..10)
        .rev()
        .fold(product, |rest, bit| if rest >> bit & 1 == 1 { rest ^ 0b10_0101 << (bit - 5) } else { rest });
    u8::try_from(reduced).unwrap()
}

/// Entropy that the fuzzer chose; zeros after its end.
struct Bytes<'a>(&'a [u8]);

impl TryRng for Bytes<'_> {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Self::Error> {
        to.fill(0);
        let length = to.len().min(self.0.len());
        let (now, later) = self.0.split_at(length);
        to[..length].copy_from_slice(now);
        self.0 = later;
        Ok(())
    }
}

impl TryCryptoRng for Bytes<'_> {}
