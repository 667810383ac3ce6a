//! How the words on the command line are read. What cannot be read is wrong usage.

use sharekey::contacts::Fingerprint;
use sharekey::crypto::PublicKey;
use sharekey::id::SlotId;

use crate::cli::Card;
use crate::home::Name;
use crate::lock;
use crate::moment::{Wait, When};
use crate::schedule::{Days, Hours, Offset};

pub fn name(text: &str) -> Result<Name, String> {
    Name::read(text)
}

pub fn slot(text: &str) -> Result<SlotId, String> {
    match text.parse::<u8>() {
        Ok(index) if index < u8::MAX => Ok(SlotId::new(index)),
        _ => Err("a slot is a number from 0 to 254".into()),
    }
}

pub fn slots(text: &str) -> Result<usize, String> {
    let wanted = text.parse::<usize>().ok();
    wanted
        .filter(|wanted| lock::SIZES.contains(wanted))
        .ok_or_else(|| "this program has locks of 1 to 10, 16, 32, 64 and 255 slots".into())
}

/// 32 hexadecimal digits; spaces, hyphens and case do not matter.
pub fn card(text: &str) -> Result<Card, String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    bytes(&digits).map(Card).ok_or_else(|| "a card's secret is 32 hexadecimal digits".into())
}

pub fn key(text: &str) -> Result<PublicKey, String> {
    bytes(text).map(PublicKey::from_bytes).ok_or_else(|| "a key is 64 hexadecimal digits".into())
}

pub fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    text.parse::<Fingerprint>().map_err(|error| error.to_string())
}

pub fn when(text: &str) -> Result<When, String> {
    When::read(text)
}

pub fn wait(text: &str) -> Result<Wait, String> {
    Wait::read(text)
}

pub fn days(text: &str) -> Result<Days, String> {
    Days::read(text)
}

pub fn hours(text: &str) -> Result<Hours, String> {
    Hours::read(text)
}

pub fn offset(text: &str) -> Result<Offset, String> {
    Offset::read(text)
}

/// Reads exactly `N` bytes of hexadecimal.
pub fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    bytes.try_into().ok()
}
