//! Reading a code from a text. One pass over the bytes gathers symbols and what is wrong, without
//! branching on either; [`Scan::verdict`] alone branches, on whether and why the text is refused.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};
use zeroize::Zeroizing;

use super::symbol;
use crate::error::CodeError;

/// The symbols of a text that has so many, where they hold.
pub(super) fn symbols<const N: usize>(
    text: &str,
    holds: impl Fn(&[u8]) -> Choice,
) -> Result<Zeroizing<[u8; N]>, CodeError> {
    let mut scan = Scan::<N>::new();
    text.bytes().for_each(|byte| scan.take(byte));
    scan.verdict(text, holds(scan.symbols.as_slice()))?;
    Ok(scan.symbols)
}

/// What was read so far.
struct Scan<const N: usize> {
    symbols: Zeroizing<[u8; N]>,
    /// How many symbols there were; stops one above those that there are to be.
    count: u8,
    unknown: Choice,
    letter_u: Choice,
    beyond_ascii: Choice,
}

impl<const N: usize> Scan<N> {
    fn new() -> Self {
        let no = Choice::from(0);
        Self { symbols: Zeroizing::new([0; N]), count: 0, unknown: no, letter_u: no, beyond_ascii: no }
    }

    /// How many symbols there are to be, as the counter counts.
    fn full() -> u8 {
        u8::try_from(N).unwrap_or(u8::MAX)
    }

    /// Takes one byte. Every place is written to, so that which bytes are symbols stays hidden too.
    fn take(&mut self, byte: u8) {
        let reading = symbol::from_ascii(byte);
        let beyond_ascii = byte.ct_gt(&0x7f);
        for (place, at) in self.symbols.iter_mut().zip(0_u8..) {
            place.conditional_assign(&reading.value, reading.symbol & at.ct_eq(&self.count));
        }
        let more = reading.symbol & !self.count.ct_gt(&Self::full());
        self.count = self.count.wrapping_add(more.unwrap_u8());
        self.unknown |= !(reading.symbol | reading.separator | reading.letter_u | beyond_ascii);
        self.letter_u |= reading.letter_u;
        self.beyond_ascii |= beyond_ascii;
    }

    /// Kept a function of its own, so that a constant-time check can tell these branches by its name.
    #[inline(never)]
    fn verdict(&self, text: &str, holds: Choice) -> Result<(), CodeError> {
        //= spec/protocol.md#alphabet-and-form-of-a-code
        //# COD-6. A reader of typed codes MUST refuse any other character outside the alphabet.
        if self.unknown.into() || (self.beyond_ascii.into() && !text.chars().all(|c| c.is_ascii() || is_separator(c))) {
            return Err(CodeError::UnknownSymbol);
        }
        //= spec/protocol.md#alphabet-and-form-of-a-code
        //# COD-6. A reader of typed codes MUST refuse any other character outside the alphabet.
        if self.letter_u.into() {
            return Err(CodeError::LetterU);
        }
        //= spec/protocol.md#alphabet-and-form-of-a-code
        //# COD-7. A reader of typed codes MUST refuse a code that has not exactly 20 symbols.
        if self.count.ct_lt(&Self::full()).into() {
            return Err(CodeError::TooShort);
        }
        //= spec/protocol.md#alphabet-and-form-of-a-code
        //# COD-7. A reader of typed codes MUST refuse a code that has not exactly 20 symbols.
        if self.count.ct_gt(&Self::full()).into() {
            return Err(CodeError::TooLong);
        }
        //= spec/protocol.md#check-symbols
        //# COD-9. A reader MUST refuse a code whose C(α) or C(α^2) is not 0.
        //= spec/protocol.md#check-symbols
        //# COD-10. A reader MUST NOT correct a code.
        if holds.into() { Ok(()) } else { Err(CodeError::CheckFailed) }
    }
}

/// Whether a character beyond ASCII is ignored: whitespace, dashes, and marks that nobody sees.
//= spec/protocol.md#alphabet-and-form-of-a-code
//# COD-2. A reader of typed codes MUST ignore the separators listed below.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
        )
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
