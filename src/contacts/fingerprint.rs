use core::fmt;
use core::str::FromStr;

use crate::crypto::{Hash, PublicKey};
use crate::error::FingerprintError;

const LABEL: &[u8] = b"sharekey v1 fingerprint";
/// How many groups there are.
const GROUPS: usize = 6;
/// How many bytes of the digest make a group, and how many digits it has.
const GROUP: usize = 5;
/// How many numbers a group can be: 10⁵.
const RANGE: u64 = 100_000;
const DIGITS: usize = GROUPS * GROUP;

/// What two people read to each other to make sure of an account key: 30 decimal digits in six
/// groups of five, unlike a share code in length and alphabet.
///
/// d = SHA-256(`sharekey v1 fingerprint` ‖ the 32 bytes of the key). Group *i*, from 0, is the bytes
/// d[5*i*..5*i*+5] as a big-endian number modulo 100 000, written with leading zeros; the last two
/// bytes of d are not used. That is 99 bits: enough against a second key with the fingerprint of a
/// given one.
///
/// Reading takes 30 digits and ignores whitespace anywhere; showing puts one space between groups.
///
/// ```
/// use sharekey::contacts::Fingerprint;
///
/// let typed: Fingerprint = "012345678901234567890123456789".parse()?;
/// assert_eq!(typed.to_string(), "01234 56789 01234 56789 01234 56789");
/// # Ok::<(), sharekey::error::FingerprintError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; DIGITS]);

impl Fingerprint {
    /// The fingerprint of a key.
    #[must_use]
    pub fn of(crypto: &impl Hash, key: &PublicKey) -> Self {
        //= spec/protocol.md#contacts
        //# CON-6. The fingerprint of a key MUST be formed from d = SHA-256(`"sharekey v1 fingerprint"` ‖ key) as given here.
        let digest = crypto.sha256(&[LABEL, key.as_bytes()]);
        let mut digits = [b'0'; DIGITS];
        for (digits, bytes) in digits.chunks_mut(GROUP).zip(digest.chunks(GROUP)) {
            let number = bytes.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
            write_digits(digits, number.rem_euclid(RANGE));
        }
        Self(digits)
    }
}

/// Writes the last digits of `number` as ASCII, as many as there is room for.
fn write_digits(digits: &mut [u8], number: u64) {
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = b'0'.saturating_add(u8::try_from(rest.rem_euclid(10)).unwrap_or_default());
        rest = rest.div_euclid(10);
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let mut digits = [0; DIGITS];
        let mut places = digits.iter_mut();
        let mut too_long = false;
        for c in text.chars().filter(|c| !c.is_whitespace()) {
            let digit = u8::try_from(c).ok().filter(u8::is_ascii_digit).ok_or(FingerprintError::NotADigit)?;
            match places.next() {
                Some(place) => *place = digit,
                None => too_long = true,
            }
        }
        if too_long {
            return Err(FingerprintError::TooLong);
        }
        if places.next().is_some() {
            return Err(FingerprintError::TooShort);
        }
        Ok(Self(digits))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, group) in self.0.chunks(GROUP).enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(core::str::from_utf8(group).unwrap_or_default())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}
