//! Do share codes catch what people do to them, and do they lead where the spec says?

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use sharekey::code::{CodeText, ShareCode};
use sharekey::crypto::{PublicKey, Signer};
use sharekey::error::{CodeError, Fault, Retry};
use sharekey_stage::provider::Provider;

use sharekey_stage::hex::array;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Codes with the seed and the public key of their subject. Made with Python: the check symbols by
/// trying all 1024 pairs against both roots (field arithmetic by logarithms), the seed by
/// `hashlib.pbkdf2_hmac("sha256", symbols, b"sharekey v1 share code", 100_000, 32)`, the public key
/// by `cryptography`'s `Ed25519PrivateKey.from_private_bytes(seed).public_key()`.
const KNOWN: [(&str, &str, &str); 5] = [
    (
        "7K3Q-XM9T-FR2A-W8BC-4DFY",
        "0895c1940b44b7a4132fb6a901f591ff3bd34f5948337d4d8e5c39210c9767cd",
        "b8316829e752feb980c05f6e1a41f40769c8317bdfeacbdeb61191bdcdb7f663",
    ),
    (
        "0000-0000-0000-0000-0000",
        "7cc210f54669631f3ee9e47062df9e641c28e9f9136fc4a248b0d3d951092523",
        "9a7ab0950d75ee150bc831684cd8b045cb848f19674e113a9b26f68acbe46351",
    ),
    (
        "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZRM",
        "344dc4fd7055608050fe8b7fa156ced4de622d8b69cdb37f56b04b4367a33d4b",
        "9ad1dcac6bf0bc0e8a821353e7e0be2d44095ca28bc47a9d7e87eae93a69205b",
    ),
    (
        "0123-4567-89AB-CDEF-GH8B",
        "6146b6884eff48da60a7a98e7811b81440ea6eacb4498bd3016e819c50f5c76c",
        "58e1c5adf8a49e4af1bfd4b664b73a070bfdef170f35ef9f4c31aa0e3497940a",
    ),
    (
        "JKMN-PQRS-TVWX-YZ01-2349",
        "0e4dca4237c1cdaa7d1951f9d53304742599da526bdd09d14b85e77bddbcbbb2",
        "0d146633a81e417e7a8fc1a8af572bf1d5442c06e933475d21aec3daffc71e91",
    ),
];

const CODE: &str = KNOWN[0].0;

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn issued(seed: u8) -> ShareCode {
    ShareCode::issue(&mut rng(seed))
}

/// The 20 symbols of a code as ASCII.
fn symbols(code: &CodeText) -> [u8; 20] {
    let symbols: Vec<u8> = code.as_str().bytes().filter(|byte| *byte != b'-').collect();
    symbols.try_into().unwrap()
}

fn parse(symbols: &[u8]) -> Result<ShareCode, CodeError> {
    ShareCode::parse(core::str::from_utf8(symbols).unwrap())
}

fn assert_reads_as_code(text: &str) {
    assert_eq!(ShareCode::parse(text).unwrap().expose().as_str(), CODE, "{text:?}");
}

#[test]
fn known_codes_lead_to_known_keys() {
    for (text, seed, subject) in KNOWN {
        //= spec/protocol.md#check-symbols
        //# COD-8. The check symbols MUST be those with which C(α) = 0 and C(α^2) = 0.
        let code = ShareCode::parse(text).unwrap();
        //= spec/protocol.md#alphabet-and-form-of-a-code
        //# COD-1. A code MUST be shown as five groups of four symbols, in upper case, joined by hyphens.
        assert_eq!(code.expose().as_str(), text);
        assert_eq!(code.subject(&Provider).unwrap(), PublicKey::from_bytes(array(subject)));
        //= spec/protocol.md#issuing-and-using-a-code
        //# COD-12. The seed of a code's subject MUST be PBKDF2(password, salt, 100000 rounds, 32 bytes) with the password and the salt given here.
        assert_eq!(code.redeem(&Provider).expose(), &array(seed));
    }
}

#[test]
fn the_guest_signs_with_the_key_that_the_owner_grants_to() {
    let code = issued(1);
    let subject = code.subject(&Provider).unwrap();
    assert_eq!(subject.check(), Ok(()));
    let typed = ShareCode::parse(code.expose().as_str()).unwrap();
    assert_eq!(*Signer::from_seed(&Provider, &typed.redeem(&Provider)).unwrap().public(), subject);
}

//= spec/protocol.md#alphabet-and-form-of-a-code
//# COD-1. A code MUST be shown as five groups of four symbols, in upper case, joined by hyphens.
#[test]
fn an_issued_code_reads_back_as_itself_and_no_other() {
    let mut rng = rng(0);
    let codes: Vec<ShareCode> = (0..200).map(|_| ShareCode::issue(&mut rng)).collect();
    for (at, code) in codes.iter().enumerate() {
        let text = code.expose();
        assert_eq!(text.as_str().len(), 24);
        assert!(
            text.as_str()
                .bytes()
                .enumerate()
                .all(|(at, byte)| { if at % 5 == 4 { byte == b'-' } else { ALPHABET.contains(&byte) } })
        );
        let read = ShareCode::parse(text.as_str()).unwrap();
        assert!(codes.iter().enumerate().all(|(other, code)| (read == *code) == (other == at)));
    }
}

//= spec/protocol.md#issuing-and-using-a-code
//# COD-11. An issuer MUST draw the 18 data symbols uniformly from a cryptographic source of randomness.
#[test]
fn the_entropy_is_the_low_five_bits_of_each_byte() {
    use rand_chacha::rand_core::Rng as _;
    let mut bytes = [0; 18];
    rng(3).fill_bytes(&mut bytes);
    let expected = bytes.map(|byte| ALPHABET[usize::from(byte % 32)]);
    assert_eq!(symbols(&issued(3).expose())[..18], expected);
}

//= spec/protocol.md#check-symbols
//# COD-9. A reader MUST refuse a code whose C(α) or C(α^2) is not 0.
//= spec/protocol.md#check-symbols
//# COD-10. A reader MUST NOT correct a code.
#[test]
fn every_wrong_symbol_is_caught() {
    for seed in 0..20 {
        let good = symbols(&issued(seed).expose());
        for at in 0..20 {
            for other in ALPHABET.iter().filter(|other| **other != good[at]) {
                let mut bad = good;
                bad[at] = *other;
                assert_eq!(parse(&bad), Err(CodeError::CheckFailed));
            }
        }
    }
}

//= spec/protocol.md#check-symbols
//# COD-9. A reader MUST refuse a code whose C(α) or C(α^2) is not 0.
#[test]
fn every_two_wrong_symbols_are_caught() {
    for good in [symbols(&issued(0).expose()), symbols(&ShareCode::parse(CODE).unwrap().expose())] {
        for (first, second) in (0..20).flat_map(|first| (first + 1..20).map(move |second| (first, second))) {
            for (a, b) in ALPHABET.iter().flat_map(|a| ALPHABET.iter().map(move |b| (*a, *b))) {
                let mut bad = good;
                (bad[first], bad[second]) = (a, b);
                if bad != good {
                    assert_eq!(parse(&bad), Err(CodeError::CheckFailed));
                }
            }
        }
    }
}

#[test]
fn every_swap_of_two_symbols_is_caught() {
    for seed in 0..100 {
        let good = symbols(&issued(seed).expose());
        for (first, second) in (0..20).flat_map(|first| (first + 1..20).map(move |second| (first, second))) {
            let mut bad = good;
            bad.swap(first, second);
            if bad != good {
                assert_eq!(parse(&bad), Err(CodeError::CheckFailed));
            }
        }
    }
}

//= spec/protocol.md#alphabet-and-form-of-a-code
//# COD-2. A reader of typed codes MUST ignore the separators listed below.
//= spec/protocol.md#alphabet-and-form-of-a-code
//# COD-3. A reader of typed codes MUST take a lower-case letter for its upper-case letter.
#[test]
fn case_hyphens_and_spaces_do_not_matter() {
    assert_reads_as_code("7k3q-xm9t-fr2a-w8bc-4dfy");
    assert_reads_as_code("7K3QXM9TFR2AW8BC4DFY");
    assert_reads_as_code("7K3Q XM9T FR2A W8BC 4DFY");
    assert_reads_as_code("  7K3Q-\r\n\tXM9T\u{b}FR2A\u{c}W8BC--4DFY\n");
    assert_reads_as_code("-7-K-3-Q-X-M-9-T-F-R-2-A-W-8-B-C-4-D-F-Y-");
}

#[test]
fn what_phones_paste_between_groups_does_not_matter() {
    for separator in "\u{85}\u{a0}\u{ad}\u{2003}\u{2007}\u{200b}\u{200e}\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{202f}\u{2043}\u{2060}\u{2066}\u{2069}\u{2212}\u{3000}\u{fe58}\u{fe63}\u{feff}\u{ff0d}".chars() {
        assert_reads_as_code(&CODE.replace('-', &separator.to_string()));
        assert_reads_as_code(&format!("{separator}{CODE}{separator}"));
    }
}

/// The list of the spec, written out anew.
//= spec/protocol.md#alphabet-and-form-of-a-code
//# COD-2. A reader of typed codes MUST ignore the separators listed below.
#[test]
fn every_separator_that_the_spec_lists_is_ignored() {
    let white_space = [
        0x9..=0xd,
        0x20..=0x20,
        0x85..=0x85,
        0xa0..=0xa0,
        0x1680..=0x1680,
        0x2000..=0x200a,
        0x2028..=0x2029,
        0x202f..=0x202f,
        0x205f..=0x205f,
        0x3000..=0x3000,
    ];
    let dashes = [
        0x2d..=0x2d,
        0xad..=0xad,
        0x2010..=0x2015,
        0x2043..=0x2043,
        0x2212..=0x2212,
        0xfe58..=0xfe58,
        0xfe63..=0xfe63,
        0xff0d..=0xff0d,
    ];
    let marks = [0x200b..=0x200f, 0x202a..=0x202e, 0x2060..=0x2069, 0xfeff..=0xfeff];
    let listed: Vec<u32> = white_space.into_iter().chain(dashes).chain(marks).flatten().collect();
    for separator in listed.iter().map(|code| char::from_u32(*code).unwrap()) {
        assert_reads_as_code(&CODE.replace('-', &separator.to_string()));
    }
    // And beyond ASCII nothing else in the basic plane is.
    for c in (0x80..=0xffff).filter(|code| !listed.contains(code)).filter_map(char::from_u32) {
        assert_eq!(ShareCode::parse(&format!("{CODE}{c}")), Err(CodeError::UnknownSymbol), "{c:?}");
    }
}

//= spec/protocol.md#alphabet-and-form-of-a-code
//# COD-4. A reader of typed codes MUST take O for 0.
//= spec/protocol.md#alphabet-and-form-of-a-code
//# COD-5. A reader of typed codes MUST take I and L for 1.
#[test]
fn letters_that_look_like_digits_read_as_them() {
    let code = "0123-4567-89AB-CDEF-GH8B";
    for zero in ["0", "O", "o"] {
        for one in ["1", "I", "i", "L", "l"] {
            let text = code.replace('0', zero).replace('1', one);
            assert_eq!(ShareCode::parse(&text).unwrap().expose().as_str(), code, "{text}");
        }
    }
}

//= spec/protocol.md#alphabet-and-form-of-a-code
//# COD-6. A reader of typed codes MUST refuse any other character outside the alphabet.
#[test]
fn the_letter_u_is_named() {
    for u in ["u", "U"] {
        for at in 0..=CODE.len() {
            let mut text = CODE.to_owned();
            text.insert_str(at, u);
            assert_eq!(ShareCode::parse(&text), Err(CodeError::LetterU));
            if at < CODE.len() {
                text.remove(at + 1);
                assert_eq!(ShareCode::parse(&text), Err(CodeError::LetterU));
            }
        }
    }
}

//= spec/protocol.md#alphabet-and-form-of-a-code
//# COD-6. A reader of typed codes MUST refuse any other character outside the alphabet.
#[test]
fn every_other_character_is_refused() {
    let ignored = |c: char| c == '-' || c.is_ascii_whitespace() || c == '\u{b}';
    for c in (0..128).map(char::from).filter(|c| !c.is_ascii_alphanumeric() && !ignored(*c)) {
        assert_eq!(ShareCode::parse(&format!("{CODE}{c}")), Err(CodeError::UnknownSymbol), "{c:?}");
    }
    for c in ['Ö', 'é', '٣', '３', 'Ａ', '🔑', 'ı', 'ſ', '\u{212a}', '\u{41e}'] {
        assert_eq!(ShareCode::parse(&CODE.replace('3', &c.to_string())), Err(CodeError::UnknownSymbol), "{c:?}");
        assert_eq!(ShareCode::parse(&format!("{c}U")), Err(CodeError::UnknownSymbol), "{c:?}");
    }
}

//= spec/protocol.md#alphabet-and-form-of-a-code
//# COD-7. A reader of typed codes MUST refuse a code that has not exactly 20 symbols.
#[test]
fn other_lengths_are_refused() {
    let symbols = CODE.replace('-', "");
    for length in 0..20 {
        assert_eq!(ShareCode::parse(&symbols[..length]), Err(CodeError::TooShort));
    }
    assert_eq!(ShareCode::parse("---- ----"), Err(CodeError::TooShort));
    for more in [1, 2, 20, 235, 236, 237, 492, 1000] {
        assert_eq!(ShareCode::parse(&format!("{symbols}{}", "0".repeat(more))), Err(CodeError::TooLong));
    }
}

#[test]
fn the_person_who_typed_is_asked_again() {
    for error in
        [CodeError::UnknownSymbol, CodeError::LetterU, CodeError::TooShort, CodeError::TooLong, CodeError::CheckFailed]
    {
        assert_eq!((error.fault(), error.retry()), (Fault::Guest, Retry::OtherInput));
    }
}

//= spec/protocol.md#issuing-and-using-a-code
//# COD-16. A diagnostic output MUST NOT contain a code.
#[test]
fn debug_shows_nothing_of_a_code() {
    let code = ShareCode::parse(CODE).unwrap();
    assert_eq!(format!("{code:?} {:?}", code.expose()), "ShareCode([redacted]) CodeText([redacted])");
    assert_eq!(format!("{:?}", code.redeem(&Provider)), "Seed([redacted])");
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = ShareCode::parse(&text);
    }

    #[test]
    fn what_is_issued_parses(seed in any::<[u8; 32]>()) {
        let code = ShareCode::issue(&mut ChaCha20Rng::from_seed(seed));
        prop_assert_eq!(ShareCode::parse(code.expose().as_str()), Ok(code));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_parses_shows_as_what_it_parsed(text in "[0-9A-TV-Za-tv-z]{18}") {
        // Exactly one of the 1024 endings makes a code of any 18 symbols.
        let mut codes = 0;
        for last in ALPHABET.iter().flat_map(|a| ALPHABET.iter().map(|b| [*a, *b])) {
            let text = format!("{text}{}", core::str::from_utf8(&last).unwrap());
            if let Ok(code) = ShareCode::parse(&text) {
                let canonical = text.to_uppercase().replace(['I', 'L'], "1").replace('O', "0");
                prop_assert_eq!(code.expose().as_str().replace('-', ""), canonical);
                prop_assert_eq!(ShareCode::parse(code.expose().as_str()), Ok(code));
                codes += 1;
            }
        }
        prop_assert_eq!(codes, 1);
    }
}
