//! The two check symbols: GF(32) by shifts and masks, without tables or branches.

use subtle::{Choice, ConstantTimeEq};

/// The field's polynomial, x⁵ + x² + 1.
const POLYNOMIAL: u8 = 0b10_0101;

/// The symbol times α.
const fn times_alpha(symbol: u8) -> u8 {
    let overflow = 0_u8.wrapping_sub(symbol >> 4);
    (symbol << 1) ^ (overflow & POLYNOMIAL)
}

/// The remainder of data(z)·z² by z² + 6z + 8, the coefficient of z first.
pub(super) fn symbols(data: &[u8]) -> [u8; 2] {
    //= spec/protocol.md#check-symbols
    //# COD-8. The check symbols MUST be those with which C(α) = 0 and C(α^2) = 0.
    data.iter().fold([0, 0], |[high, low], symbol| {
        let top = high ^ symbol;
        let (by_2, by_4) = (times_alpha(top), times_alpha(times_alpha(top)));
        [low ^ by_2 ^ by_4, times_alpha(by_4)]
    })
}

/// Whether the symbols are a code: both syndromes are 0.
pub(super) fn holds(symbols: &[u8]) -> Choice {
    let [at_alpha, at_alpha_squared] = syndromes(symbols);
    (at_alpha | at_alpha_squared).ct_eq(&0)
}

/// The code's polynomial at α and at α².
fn syndromes(symbols: &[u8]) -> [u8; 2] {
    symbols.iter().fold([0, 0], |[first, second], symbol| {
        [times_alpha(first) ^ symbol, times_alpha(times_alpha(second)) ^ symbol]
    })
}

#[cfg(test)]
mod tests {
    use super::super::{DATA, SYMBOLS, block};
    use super::*;

    /// Schoolbook multiplication, for comparison.
    fn multiply(a: u8, b: u8) -> u8 {
        let mut product = 0_u16;
        for bit in 0..5 {
            if b >> bit & 1 == 1 {
                product ^= u16::from(a) << bit;
            }
        }
        for above in (0..4).rev() {
            if product >> above & 0b10_0000 != 0 {
                product ^= u16::from(POLYNOMIAL) << above;
            }
        }
        u8::try_from(product).unwrap()
    }

    #[test]
    fn alpha_is_primitive_and_multiplies_as_at_school() {
        let mut power = 1;
        for exponent in 1..=31 {
            power = times_alpha(power);
            assert_eq!(power == 1, exponent == 31);
        }
        for symbol in 0..32 {
            assert_eq!(times_alpha(symbol), multiply(symbol, 2));
        }
    }

    #[test]
    fn the_generator_has_its_two_roots() {
        for root in [2, 4] {
            assert_eq!(multiply(root, root) ^ multiply(6, root) ^ 8, 0);
        }
    }

    //= spec/protocol.md#check-symbols
    //= type=test
    //# COD-8. The check symbols MUST be those with which C(α) = 0 and C(α^2) = 0.
    #[test]
    fn what_the_encoder_makes_has_no_syndrome() {
        for position in 0..DATA {
            for symbol in 1..32 {
                let mut code = [0; SYMBOLS];
                code[position] = symbol;
                let checks = super::symbols(&code[..DATA]);
                code[DATA..].copy_from_slice(&checks);
                assert_eq!(syndromes(&code), [0, 0]);
            }
        }
    }

    /// Syndromes are linear, so an error goes unnoticed on some code iff it does on the zero code.
    //= spec/protocol.md#check-symbols
    //= type=test
    //# COD-9. A reader MUST refuse a code whose C(α) or C(α^2) is not 0.
    #[test]
    fn every_error_in_one_or_two_symbols_has_a_syndrome() {
        let mut patterns = 0;
        // What holds for the longer word holds for the shorter one, which is its end.
        for first in 0..block::SYMBOLS {
            for second in first + 1..block::SYMBOLS {
                for (a, b) in (0..32).flat_map(|a| (0..32).map(move |b| (a, b))).skip(1) {
                    let mut error = [0; block::SYMBOLS];
                    (error[first], error[second]) = (a, b);
                    assert_ne!(syndromes(&error), [0, 0], "{a} at {first}, {b} at {second}");
                    assert!(!bool::from(holds(&error)));
                    patterns += 1;
                }
            }
        }
        assert_eq!(patterns, 378 * 1023);
    }
}
