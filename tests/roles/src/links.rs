//! Cards, account keys and links as text.

use proptest::prelude::*;
use sharekey::code::{Link, ShareCode, card_text, key_text, read_card, read_key};
use sharekey::crypto::PublicKey;
use sharekey::error::{CodeError, LinkError};
use sharekey::secret::ActivationSecret;

const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Computed by a script apart from the crate; they stand in the text of the spec too.
const CARDS: [([u8; 16], &str); 3] = [
    ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], "000G-40R4-0M30-E209-185G-R38E-1WEC"),
    ([0; 16], "0000-0000-0000-0000-0000-0000-0000"),
    ([0xff; 16], "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZWBH"),
];
const KEY: &str = "000G-40R4-0M30-E209-185G-R38E-1WEC-208H-44RM-2MB1-E60S-38DH-R78Y-3WZK";
const CODE: &str = "7K3Q-XM9T-FR2A-W8BC-4DFY";

fn key() -> PublicKey {
    PublicKey::from_bytes(std::array::from_fn(|at| u8::try_from(at).unwrap()))
}

//= spec/protocol.md#cards-and-keys-as-text
//# TXT-1. A block MUST be the 128 bits of its 16 bytes, from the highest bit of the first byte on, and two bits 0, as 26 symbols, and then two check symbols.
//= spec/protocol.md#cards-and-keys-as-text
//# TXT-2. The check symbols of a block MUST be those with which D(α) = 0 and D(α^2) = 0.
//= spec/protocol.md#cards-and-keys-as-text
//# TXT-3. An activation secret MUST be shown as one block, and an account key as two, in groups of four symbols, in upper case, joined by hyphens.
#[test]
fn cards_and_keys_are_shown_as_the_text_says() {
    let spec = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/protocol.md")).unwrap();
    for (bytes, text) in CARDS {
        assert_eq!(card_text(&ActivationSecret::from_bytes(bytes)).as_str(), text);
        assert_eq!(read_card(text).unwrap(), ActivationSecret::from_bytes(bytes));
        assert!(spec.contains(text), "{text}");
    }
    assert_eq!((key_text(&key()).as_str(), read_key(KEY)), (KEY, Ok(key())));
    assert!(spec.contains(KEY));
}

proptest! {
    #[test]
    fn what_is_shown_is_read_however_it_is_typed(bytes: [u8; 32]) {
        let (card, key) = (ActivationSecret::from_bytes(*bytes.first_chunk().unwrap()), PublicKey::from_bytes(bytes));
        let typed = |text: &str| text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        prop_assert!(read_card(&typed(card_text(&card).as_str())).unwrap() == card);
        prop_assert_eq!(read_key(&typed(key_text(&key).as_str())), Ok(key));
    }

    /// Any one symbol that is wrong, and any two that changed places.
    //= spec/protocol.md#cards-and-keys-as-text
    //# TXT-6. A reader MUST refuse a block whose D(α) or D(α^2) is not 0, or in which the two bits behind the bytes are not 0.
    #[test]
    fn mistyped_texts_are_refused(bytes: [u8; 32], at in 0..28_usize, other in 0..28_usize, symbol in 0..32_usize) {
        let key = key_text(&PublicKey::from_bytes(bytes));
        let symbols: Vec<char> = key.as_str().chars().filter(|c| *c != '-').collect();
        let wrong = |wrong: Vec<char>| {
            let (same, text) = (wrong == symbols, wrong.iter().collect::<String>());
            let expected = if same { Ok(PublicKey::from_bytes(bytes)) } else { Err(CodeError::CheckFailed) };
            assert_eq!(read_key(&text), expected, "{text}");
            let card = read_card(&text[..28]).map(|_| ()).err();
            assert_eq!(card, (wrong[..28] != symbols[..28]).then_some(CodeError::CheckFailed), "{text}");
        };
        for first in [0, 28] {
            let mut changed = symbols.clone();
            changed[first + at] = ALPHABET.chars().nth(symbol).unwrap();
            wrong(changed);
            let mut swapped = symbols.clone();
            swapped.swap(first + at, first + other);
            wrong(swapped);
        }
    }
}

/// A text whose check symbols hold, and whose last data symbol says more than the bytes do.
//= spec/protocol.md#cards-and-keys-as-text
//# TXT-6. A reader MUST refuse a block whose D(α) or D(α^2) is not 0, or in which the two bits behind the bytes are not 0.
#[test]
fn a_block_has_one_text() {
    let prefix = "0000000000000000000000000";
    let mut held = 0;
    for (last, a, b) in (0..4).flat_map(|last| (0..1024).map(move |checks| (last, checks / 32, checks % 32))) {
        let text: String =
            prefix.chars().chain([last, a, b].map(|at: usize| ALPHABET.chars().nth(at).unwrap())).collect();
        match read_card(&text) {
            Ok(card) => {
                assert_eq!((card, last), (ActivationSecret::from_bytes([0; 16]), 0));
                held += 1;
            }
            Err(error) => assert_eq!(error, CodeError::CheckFailed, "{text}"),
        }
    }
    assert_eq!(held, 1);
}

//= spec/protocol.md#cards-and-keys-as-text
//# TXT-4. A reader MUST read a block's characters as those of a code, as COD-2 to COD-6 say.
//= spec/protocol.md#cards-and-keys-as-text
//# TXT-5. A reader MUST refuse a text with another number of symbols.
#[test]
fn what_is_wrong_with_a_text_is_said_in_the_order_of_a_codes() {
    let (_, card) = CARDS[0];
    for (text, error) in [
        ("", CodeError::TooShort),
        (&card[..33], CodeError::TooShort),
        (&format!("{card}0"), CodeError::TooLong),
        (&format!("{card}U"), CodeError::LetterU),
        (&format!("{card}U!"), CodeError::UnknownSymbol),
        (KEY, CodeError::TooLong),
    ] {
        assert_eq!(read_card(text).map(|_| ()), Err(error), "{text}");
    }
    assert_eq!((read_key(card), read_key(&KEY[..68])), (Err(CodeError::TooShort), Err(CodeError::TooShort)));
    assert_eq!(read_card(&card.replace('-', "\u{2013}\u{200b}")).unwrap(), ActivationSecret::from_bytes(CARDS[0].0));
}

//= spec/protocol.md#links
//# LNK-1. A link MUST be `sharekey:`, one of `code/`, `key/` and `card/`, and the text of a share code, an account key or an activation secret.
//= spec/protocol.md#links
//# LNK-2. A reader MUST take the letters before the text in either case.
#[test]
fn links_are_read_as_they_are_made() {
    let card = ActivationSecret::from_bytes(CARDS[0].0);
    for (link, text) in [
        (Link::Code(ShareCode::parse(CODE).unwrap()), format!("sharekey:code/{CODE}")),
        (Link::Key(key()), format!("sharekey:key/{KEY}")),
        (Link::Card(card), format!("sharekey:card/{}", CARDS[0].1)),
    ] {
        assert_eq!(link.expose().as_str(), text);
        for typed in
            [text.clone(), text.to_uppercase(), text.to_lowercase(), format!(" {text}\n"), text.replace('-', "")]
        {
            assert_eq!(Link::parse(&typed).as_ref(), Ok(&link), "{typed}");
        }
    }
}

//= spec/protocol.md#links
//# LNK-3. A reader MUST refuse a link of any other kind.
#[test]
fn what_is_no_link_is_refused() {
    for (text, error) in [
        ("", LinkError::NotALink),
        ("sharekey", LinkError::NotALink),
        ("sharekéy:code/", LinkError::NotALink),
        ("https://example.com/", LinkError::NotALink),
        (CODE, LinkError::NotALink),
        ("sharekey:", LinkError::UnknownKind),
        ("sharekey:lock/00", LinkError::UnknownKind),
        ("sharekey:codé/", LinkError::UnknownKind),
        (&format!("sharekey:{CODE}"), LinkError::UnknownKind),
        ("sharekey:code/", LinkError::Code(CodeError::TooShort)),
        (&format!("sharekey:card/{CODE}"), LinkError::Code(CodeError::TooShort)),
        (&format!("sharekey:code/{KEY}"), LinkError::Code(CodeError::TooLong)),
        ("sharekey:code/7K3Q-XM9T-FR2A-W8BC-4DHP", LinkError::Code(CodeError::CheckFailed)),
    ] {
        assert_eq!(Link::parse(text).map(|_| ()), Err(error), "{text}");
    }
}

//= spec/protocol.md#links
//# LNK-4. A diagnostic output MUST NOT contain the text or a link of a code or of a card.
#[test]
fn what_is_secret_is_not_shown() {
    let card = || ActivationSecret::from_bytes(CARDS[0].0);
    let links = [Link::Code(ShareCode::parse(CODE).unwrap()), Link::Card(card())];
    let shown = format!("{links:?} {:?} {:?}", links.each_ref().map(Link::expose), card_text(&card()));
    assert!(shown.contains("redacted"));
    for secret in [&CODE[..4], &CARDS[0].1[..4], "00010203", "0, 1, 2"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
