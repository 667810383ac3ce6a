//! One symbol as ASCII and back, by comparisons that become no branch and no index.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};

/// The highest symbol; also the mask of a symbol's bits.
pub(super) const MAX: u8 = 31;

/// The upper-case character of a symbol.
//= spec/protocol.md#alphabet-and-form-of-a-code
//# COD-1. A code MUST be shown as five groups of four symbols, in upper case, joined by hyphens.
pub(super) fn to_ascii(symbol: u8) -> u8 {
    // From 10 on come letters, 7 places further on; I, L, O and U are left out.
    let letters = u8::conditional_select(&0, &7, symbol.ct_gt(&9));
    [17, 19, 21, 26]
        .into_iter()
        .fold(symbol.wrapping_add(b'0').wrapping_add(letters), |at, last| at.wrapping_add(past(symbol, last)))
}

/// What one byte of a text is; at most one of the three holds.
pub(super) struct Reading {
    /// A symbol, …
    pub(super) symbol: Choice,
    /// … with this value (if none: any).
    pub(super) value: u8,
    /// A hyphen or whitespace.
    pub(super) separator: Choice,
    /// The letter U, which no code has.
    pub(super) letter_u: Choice,
}

/// Reads one ASCII character.
pub(super) fn from_ascii(byte: u8) -> Reading {
    //= spec/protocol.md#alphabet-and-form-of-a-code
    //# COD-3. A reader of typed codes MUST take a lower-case letter for its upper-case letter.
    let upper = u8::conditional_select(&byte, &(byte ^ 0x20), within(byte, b'a', b'z'));
    let digit = within(upper, b'0', b'9');
    let letter = within(upper, b'A', b'Z');
    let letter_u = upper.ct_eq(&b'U');
    let mut value = u8::conditional_select(&letter_value(upper), &upper.wrapping_sub(b'0'), digit);
    //= spec/protocol.md#alphabet-and-form-of-a-code
    //# COD-4. A reader of typed codes MUST take O for 0.
    value.conditional_assign(&0, upper.ct_eq(&b'O'));
    //= spec/protocol.md#alphabet-and-form-of-a-code
    //# COD-5. A reader of typed codes MUST take I and L for 1.
    value.conditional_assign(&1, upper.ct_eq(&b'I') | upper.ct_eq(&b'L'));
    Reading {
        symbol: digit | (letter & !letter_u),
        value,
        //= spec/protocol.md#alphabet-and-form-of-a-code
        //# COD-2. A reader of typed codes MUST ignore the separators listed below.
        separator: byte.ct_eq(&b'-') | byte.ct_eq(&b' ') | within(byte, b'\t', b'\r'),
        letter_u,
    }
}

/// The value of a letter other than I, L, O and U.
fn letter_value(upper: u8) -> u8 {
    b"ILOU"
        .iter()
        .fold(upper.wrapping_sub(b'A').wrapping_add(10), |value, left_out| value.wrapping_sub(past(upper, *left_out)))
}

/// 1 if `a > b`, else 0.
fn past(a: u8, b: u8) -> u8 {
    a.ct_gt(&b).unwrap_u8()
}

fn within(byte: u8, first: u8, last: u8) -> Choice {
    !byte.ct_lt(&first) & !byte.ct_gt(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// The table that the arithmetic replaces.
    fn expected(byte: u8) -> Option<u8> {
        let canonical = match byte.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        };
        ALPHABET.iter().position(|symbol| *symbol == canonical).map(|at| u8::try_from(at).unwrap())
    }

    #[test]
    fn symbols_are_written_in_crockfords_alphabet() {
        assert_eq!(core::array::from_fn(|symbol| to_ascii(u8::try_from(symbol).unwrap())), *ALPHABET);
    }

    //= spec/protocol.md#alphabet-and-form-of-a-code
    //= type=test
    //# COD-3. A reader of typed codes MUST take a lower-case letter for its upper-case letter.
    #[test]
    fn every_byte_reads_as_the_table_says() {
        for byte in 0..=u8::MAX {
            let reading = from_ascii(byte);
            assert_eq!(bool::from(reading.symbol).then_some(reading.value), expected(byte), "byte {byte}");
            assert_eq!(bool::from(reading.letter_u), matches!(byte, b'u' | b'U'), "byte {byte}");
            let separator = matches!(byte, b'-' | b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
            assert_eq!(bool::from(reading.separator), separator, "byte {byte}");
        }
    }
}
