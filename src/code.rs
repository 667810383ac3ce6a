//! Share codes: a grant for somebody who has no account (spec: "Share codes"). Beside them what else people type, read
//! out and open: activation cards and account keys as text, and [`Link`]s.
//!
//! # Format
//!
//! A code is 20 symbols of 5 bits each, shown in five groups of four with hyphens between:
//! `XXXX-XXXX-XXXX-XXXX-XXXX`. Symbol values 0 to 31 are written as Crockford's base 32,
//! `0123456789ABCDEFGHJKMNPQRSTVWXYZ`. The first 18 symbols are entropy: 90 bits. The last two are
//! check symbols.
//!
//! # Check symbols
//!
//! A shortened Reed–Solomon code over GF(32), the field of polynomials over GF(2) modulo
//! x⁵ + x² + 1; bit *i* of a symbol is the coefficient of xⁱ, and α = x has the value 2. Symbol 0,
//! the leftmost, is the coefficient of z¹⁹ of the code's polynomial, symbol 19 that of z⁰. The
//! polynomial must be a multiple of g(z) = (z − α)(z − α²) = z² + 6z + 8: its values at α and at α²
//! must both be 0. The check symbols are so the remainder of data(z)·z² by g(z), the coefficient of
//! z first. The code's distance is 3: every error in one or two symbols is caught, and so is every
//! swap of two symbols.
//!
//! # Reading
//!
//! Lower case is upper case, `O` is 0, `I` and `L` are 1. Ignored anywhere: the hyphen, ASCII
//! whitespace (tab to carriage return, space), and what phones put in their place when a text is
//! pasted: Unicode whitespace, U+00AD, U+2010 to U+2015, U+2043, U+2212, U+FE58, U+FE63, U+FF0D
//! (dashes), U+200B to U+200F, U+202A to U+202E, U+2060 to U+2069, U+FEFF (invisible marks).
//! Everything else, the letter `U` included, is an error.
//!
//! # Key
//!
//! The subject's Ed25519 seed is PBKDF2-HMAC-SHA256 of the 20 upper-case symbols as ASCII without
//! hyphens, with the salt `sharekey v1 share code`, after 100 000 rounds, 32 bytes.
//!
//! # Timing
//!
//! Which symbols a code has decides no branch and no index; that a text is refused, and why, does.

use core::num::NonZeroU32;

use rand_core::CryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::crypto::{PublicKey, Sign, Signer, Stretch};
use crate::error::{CodeError, ProviderFailed};
use crate::secret::{SecretBytes, Seed};

mod block;
mod check;
mod link;
mod read;
mod symbol;

pub use self::link::{Link, card_text, key_text, read_card, read_key};

/// How many symbols carry entropy.
const DATA: usize = 18;
/// How many symbols there are, the two check symbols included.
const SYMBOLS: usize = 20;
/// How many symbols stand together.
const GROUP: usize = 4;
/// The length of the longest text, a link of an account key, with its hyphens.
const LONGEST: usize = 82;

const SALT: &[u8] = b"sharekey v1 share code";

const ROUNDS: NonZeroU32 = match NonZeroU32::new(100_000) {
    Some(rounds) => rounds,
    None => NonZeroU32::MIN,
};

/// A share code: whoever has it is the subject of one grant.
///
/// Wiped on drop, redacted in `Debug`, compared in constant time, neither `Clone` nor `Display`:
/// [`expose`](Self::expose) is the one way to its text, [`redeem`](Self::redeem) uses it up.
///
/// ```
/// # #[cfg(feature = "ring")] {
/// use sharekey::code::ShareCode;
/// use sharekey::crypto::Ring;
///
/// // What the owner's app sent, as the guest typed it.
/// let code = ShareCode::parse("7k3q xm9t fr2a w8bc 4dfy")?;
/// assert_eq!(code.expose().as_str(), "7K3Q-XM9T-FR2A-W8BC-4DFY");
/// let seed = code.redeem(&Ring);
/// # let _ = seed;
/// # }
/// # Ok::<(), sharekey::error::CodeError>(())
/// ```
///
/// A redeemed code is gone:
///
/// ```compile_fail,E0382
/// use sharekey::code::ShareCode;
/// use sharekey::crypto::Stretch;
///
/// fn twice(code: ShareCode, crypto: &impl Stretch) {
///     let _ = code.redeem(crypto);
///     let _ = code.redeem(crypto);
/// }
/// ```
#[derive(PartialEq, Eq)]
//= spec/protocol.md#issuing-and-using-a-code
//= type=implication
//= reason=SecretBytes wipes itself on drop, and redeem takes the code by value
//# COD-15. A party MUST wipe a code when it was redeemed or given up.
pub struct ShareCode(SecretBytes<SYMBOLS>);

impl ShareCode {
    /// Draws a new code: 18 bytes of `rng`, the low five bits of each.
    #[must_use]
    pub fn issue(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut data = Zeroizing::new([0; DATA]);
        //= spec/protocol.md#issuing-and-using-a-code
        //# COD-11. An issuer MUST draw the 18 data symbols uniformly from a cryptographic source of randomness.
        rng.fill_bytes(data.as_mut_slice());
        data.iter_mut().for_each(|byte| *byte &= symbol::MAX);
        let mut symbols = Zeroizing::new([0; SYMBOLS]);
        let checks = Zeroizing::new(check::symbols(data.as_slice()));
        symbols.iter_mut().zip(data.iter().chain(checks.iter())).for_each(|(to, from)| *to = *from);
        Self::from_symbols(&symbols)
    }

    /// Reads a code as a person typed or pasted it (see the [module](self) on what is ignored).
    ///
    /// # Errors
    /// [`CodeError::UnknownSymbol`], else [`CodeError::LetterU`], else [`CodeError::TooShort`] or
    /// [`CodeError::TooLong`], else [`CodeError::CheckFailed`].
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        read::symbols(text, check::holds).map(|symbols| Self::from_symbols(&symbols))
    }

    /// The text to send to the guest.
    #[must_use]
    pub fn expose(&self) -> CodeText {
        //= spec/protocol.md#alphabet-and-form-of-a-code
        //# COD-1. A code MUST be shown as five groups of four symbols, in upper case, joined by hyphens.
        CodeText::of(self.0.expose().as_slice())
    }

    /// The public key of the code's subject, for the owner to grant to. Takes 100 000 rounds.
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider cannot load the key.
    pub fn subject(&self, crypto: &(impl Stretch + Sign)) -> Result<PublicKey, ProviderFailed> {
        Signer::from_seed(crypto, &self.seed(crypto)).map(|signer| *signer.public())
    }

    /// Uses the code up: gives the seed of its subject's key, for the guest to claim with. Takes
    /// 100 000 rounds.
    #[must_use]
    pub fn redeem(self, crypto: &impl Stretch) -> Seed {
        self.seed(crypto)
    }

    fn seed(&self, crypto: &impl Stretch) -> Seed {
        //= spec/protocol.md#issuing-and-using-a-code
        //# COD-12. The seed of a code's subject MUST be PBKDF2(password, salt, 100000 rounds, 32 bytes) with the password and the salt given here.
        Seed::from_bytes(*crypto.pbkdf2_sha256(self.0.expose(), SALT, ROUNDS))
    }

    /// Keeps the ASCII form, for it is what is stretched and shown.
    fn from_symbols(symbols: &[u8; SYMBOLS]) -> Self {
        Self(SecretBytes::new(symbols.map(symbol::to_ascii)))
    }
}

impl core::fmt::Debug for ShareCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        //= spec/protocol.md#issuing-and-using-a-code
        //# COD-16. A diagnostic output MUST NOT contain a code.
        f.write_str("ShareCode([redacted])")
    }
}

impl ZeroizeOnDrop for ShareCode {}

/// The text of a [`ShareCode`], of a card, a key or a [`Link`]: upper case, in groups of four with hyphens. Wiped on
/// drop; copies that the caller makes of it are the caller's to wipe.
pub struct CodeText {
    bytes: SecretBytes<LONGEST>,
    length: usize,
}

impl CodeText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII was written, so there is always a text.
        let bytes = self.bytes.expose().get(..self.length).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Symbols in ASCII, in groups.
    fn of(symbols: &[u8]) -> Self {
        let mut text = Self { bytes: SecretBytes::new([b'-'; LONGEST]), length: 0 };
        //= spec/protocol.md#cards-and-keys-as-text
        //# TXT-3. An activation secret MUST be shown as one block, and an account key as two, in groups of four symbols, in upper case, joined by hyphens.
        for group in symbols.chunks(GROUP) {
            // A hyphen is there already.
            text.length = text.length.saturating_add(usize::from(text.length > 0));
            text.push(group);
        }
        text
    }

    /// The text behind others.
    fn behind(&self, before: &[&str]) -> Self {
        let mut text = Self { bytes: SecretBytes::new([b'-'; LONGEST]), length: 0 };
        before.iter().for_each(|part| text.push(part.as_bytes()));
        text.push(self.as_str().as_bytes());
        text
    }

    fn push(&mut self, more: &[u8]) {
        let places = self.bytes.expose_mut().iter_mut().skip(self.length);
        places.zip(more).for_each(|(to, from)| *to = *from);
        self.length = self.length.saturating_add(more.len());
    }
}

impl core::fmt::Debug for CodeText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        //= spec/protocol.md#issuing-and-using-a-code
        //# COD-16. A diagnostic output MUST NOT contain a code.
        //= spec/protocol.md#links
        //# LNK-4. A diagnostic output MUST NOT contain the text or a link of a code or of a card.
        f.write_str("CodeText([redacted])")
    }
}

impl ZeroizeOnDrop for CodeText {}
