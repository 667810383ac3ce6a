//! What people hand to each other as text: cards, account keys, and links of either or of a code (spec: "Texts and
//! links").

use subtle::Choice;
use zeroize::Zeroizing;

use super::{CodeText, ShareCode, block, read};
use crate::crypto::PublicKey;
use crate::error::{CodeError, LinkError};
use crate::secret::ActivationSecret;

/// How many symbols an account key has.
const KEY_SYMBOLS: usize = 2 * block::SYMBOLS;

const SCHEME: &str = "sharekey:";

/// The text that is printed on an activation card: seven groups of four symbols, two of which are check symbols.
#[must_use]
pub fn card_text(card: &ActivationSecret) -> CodeText {
    CodeText::of(block::write(card.expose()).as_slice())
}

/// Reads the text of an activation card as a person typed or pasted it.
///
/// # Errors
/// As [`ShareCode::parse`].
pub fn read_card(text: &str) -> Result<ActivationSecret, CodeError> {
    //= spec/protocol.md#cards-and-keys-as-text
    //# TXT-4. A reader MUST read a block's characters as those of a code, as COD-2 to COD-6 say.
    //= spec/protocol.md#cards-and-keys-as-text
    //# TXT-5. A reader MUST refuse a text with another number of symbols.
    let symbols = read::symbols::<{ block::SYMBOLS }>(text, |symbols| block::read(symbols).1)?;
    Ok(ActivationSecret::from_bytes(*block::read(symbols.as_slice()).0))
}

/// An account key as people can type it or read it out: fourteen groups of four symbols.
#[must_use]
pub fn key_text(key: &PublicKey) -> CodeText {
    let mut symbols = Zeroizing::new([0; KEY_SYMBOLS]);
    let halves = symbols.chunks_exact_mut(block::SYMBOLS).zip(key.as_bytes().chunks_exact(block::BYTES));
    halves.for_each(|(to, half)| to.copy_from_slice(block::write(half).as_slice()));
    CodeText::of(symbols.as_slice())
}

/// Reads the text of an account key. Whether it is a good key, the `ContactBook` says.
///
/// # Errors
/// As [`ShareCode::parse`].
pub fn read_key(text: &str) -> Result<PublicKey, CodeError> {
    let symbols =
        read::symbols::<KEY_SYMBOLS>(text, |symbols| halves(symbols).fold(1.into(), |all, (_, holds)| all & holds))?;
    let mut bytes = [0; PublicKey::LEN];
    let places = bytes.chunks_exact_mut(block::BYTES);
    places.zip(halves(symbols.as_slice())).for_each(|(to, (half, _))| to.copy_from_slice(half.as_slice()));
    Ok(PublicKey::from_bytes(bytes))
}

fn halves(symbols: &[u8]) -> impl Iterator<Item = (Zeroizing<[u8; block::BYTES]>, Choice)> {
    symbols.chunks_exact(block::SYMBOLS).map(block::read)
}

/// What a link holds. A link of a code or of a card is the secret itself: it goes where that may go.
#[derive(PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Link {
    /// A share code, for a guest.
    Code(ShareCode),
    /// An account key, for an owner's contacts.
    Key(PublicKey),
    /// An activation card, for the owner of a new lock.
    Card(ActivationSecret),
}

impl Link {
    /// Reads a link.
    ///
    /// ```
    /// use sharekey::code::Link;
    ///
    /// let link = Link::parse("sharekey:code/7K3Q-XM9T-FR2A-W8BC-4DFY")?;
    /// assert!(matches!(link, Link::Code(_)));
    /// assert_eq!(link.expose().as_str(), "sharekey:code/7K3Q-XM9T-FR2A-W8BC-4DFY");
    /// # Ok::<(), sharekey::error::LinkError>(())
    /// ```
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        //= spec/protocol.md#links
        //# LNK-2. A reader MUST take the letters before the text in either case.
        let behind = |text: &str, before: &str| -> Option<usize> {
            let found = text.get(..before.len())?;
            found.eq_ignore_ascii_case(before).then_some(before.len())
        };
        let text = text.trim();
        let rest = behind(text, SCHEME).and_then(|at| text.get(at..)).ok_or(LinkError::NotALink)?;
        let after = |kind: &str| behind(rest, kind).and_then(|at| rest.get(at..));
        if let Some(code) = after(CODE) {
            return Ok(Self::Code(ShareCode::parse(code)?));
        }
        if let Some(key) = after(KEY) {
            return Ok(Self::Key(read_key(key)?));
        }
        if let Some(card) = after(CARD) {
            return Ok(Self::Card(read_card(card)?));
        }
        //= spec/protocol.md#links
        //# LNK-3. A reader MUST refuse a link of any other kind.
        Err(LinkError::UnknownKind)
    }

    /// The link, to send or to show as a QR code.
    #[must_use]
    pub fn expose(&self) -> CodeText {
        //= spec/protocol.md#links
        //# LNK-1. A link MUST be `sharekey:`, one of `code/`, `key/` and `card/`, and the text of a share code, an account key or an activation secret.
        let (kind, text) = match self {
            Self::Code(code) => (CODE, code.expose()),
            Self::Key(key) => (KEY, key_text(key)),
            Self::Card(card) => (CARD, card_text(card)),
        };
        text.behind(&[SCHEME, kind])
    }
}

const CODE: &str = "code/";
const KEY: &str = "key/";
const CARD: &str = "card/";
