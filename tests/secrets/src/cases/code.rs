//! Share codes: drawn, read, shown, stretched; the text of a card.

use sharekey::code::{CodeText, ShareCode, card_text, read_card};
use sharekey::error::CodeError;
use sharekey::guest::Account;

use super::Case;
use crate::control;
use crate::provider::{Provider, Watched};
use crate::scene::rng;
use crate::watch::{Hidden, declassify_top_bits, hide, is_hidden};

const CODE: &str = "7k3q xm9t-fr2a W8BC 4DFY";
const CARD: &str = "000g 40r4-0M30 E209 185G-R38E-1WEC";
const MISTYPED: &str = "7k3q xm9t-fr2a W8BC 4DFX";

pub(super) fn reading() -> Vec<Case> {
    let leaking = || -> Vec<(String, Box<dyn FnOnce()>)> {
        vec![
            ("symbols by a table".to_owned(), Box::new(|| _ = control::table_lookup(hidden(CODE).as_bytes()))),
            ("symbols by a search".to_owned(), Box::new(|| _ = control::search(hidden(CODE).as_bytes()))),
        ]
    };
    vec![
        Case { name: "share code: drawn and shown", provider: "-", clean: Box::new(draw), controls: leaking() },
        Case { name: "share code: read", provider: "-", clean: Box::new(read), controls: leaking() },
        Case { name: "card: read and shown", provider: "-", clean: Box::new(card), controls: leaking() },
        Case { name: "share code: mistyped", provider: "-", clean: Box::new(mistype), controls: leaking() },
    ]
}

/// A text of which memcheck knows nothing but how long it is.
fn hidden(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    hide(&mut bytes);
    // SAFETY: hiding changes no byte. The check would branch on them.
    unsafe { String::from_utf8_unchecked(bytes) }
}

fn draw() {
    let code = ShareCode::issue(&mut Hidden(rng(1)));
    assert_shown(code.expose());
}

/// `as_str` looks at whether each byte is ASCII, and at nothing else.
fn assert_shown(mut text: CodeText) {
    declassify_top_bits(&mut text);
    assert!(is_hidden(text.as_str().as_bytes()));
}

fn read() {
    let code = ShareCode::parse(&hidden(CODE)).unwrap();
    assert_shown(code.expose());
}

fn card() {
    let card = read_card(&hidden(CARD)).unwrap();
    assert_shown(card_text(&card));
}

fn mistype() {
    assert_eq!(ShareCode::parse(&hidden(MISTYPED)).unwrap_err(), CodeError::CheckFailed);
    assert_eq!(ShareCode::parse(&hidden("7k3q")).unwrap_err(), CodeError::TooShort);
    assert_eq!(ShareCode::parse(&hidden(&[CODE, "0"].concat())).unwrap_err(), CodeError::TooLong);
    assert_eq!(ShareCode::parse(&hidden("7k3u")).unwrap_err(), CodeError::LetterU);
    assert_eq!(ShareCode::parse(&hidden("7k3!")).unwrap_err(), CodeError::UnknownSymbol);
}

/// Both ways to the subject's key give the same.
pub(super) fn derivation<P: Provider>(crypto: Watched<P>) {
    let code = || ShareCode::issue(&mut Hidden(rng(1)));
    let subject = code().subject(&crypto).unwrap();
    assert_eq!(*Account::redeem(&crypto, code()).unwrap().public_key(), subject);
}
