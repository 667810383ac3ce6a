//! Sixteen bytes as symbols, with check symbols behind them: an activation secret is one block, an account key two.

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{check, symbol};

/// How many bytes a block carries.
pub(super) const BYTES: usize = 16;
/// How many symbols carry them: 130 bits.
const DATA: usize = 26;
/// How many symbols there are, the two check symbols included.
pub(super) const SYMBOLS: usize = 28;
/// The bits of the last data symbol that are no byte's.
const SPARE: u8 = 0b11;

/// The block of these bytes, in ASCII.
pub(super) fn write(bytes: &[u8]) -> Zeroizing<[u8; SYMBOLS]> {
    let mut rest = Zeroizing::new(bytes.iter().fold(0_u128, |number, byte| (number << 8) | u128::from(*byte)));
    let mut data = Zeroizing::new([0; DATA]);
    //= spec/protocol.md#cards-and-keys-as-text
    //# TXT-1. A block MUST be the 128 bits of its 16 bytes, from the highest bit of the first byte on, and two bits 0, as 26 symbols, and then two check symbols.
    for place in data.iter_mut() {
        *rest = rest.rotate_left(5);
        let [low, ..] = rest.to_le_bytes();
        *place = low & symbol::MAX;
    }
    // Behind the last three bits the number begins again.
    if let Some(last) = data.last_mut() {
        *last &= !SPARE;
    }
    //= spec/protocol.md#cards-and-keys-as-text
    //# TXT-2. The check symbols of a block MUST be those with which D(α) = 0 and D(α^2) = 0.
    let checks = Zeroizing::new(check::symbols(data.as_slice()));
    let mut block = Zeroizing::new([0; SYMBOLS]);
    block.iter_mut().zip(data.iter().chain(checks.iter())).for_each(|(to, from)| *to = symbol::to_ascii(*from));
    block
}

/// The bytes of a block, and whether it is one.
pub(super) fn read(block: &[u8]) -> (Zeroizing<[u8; BYTES]>, Choice) {
    let mut data = block.iter().take(DATA);
    let number =
        data.by_ref().take(DATA.saturating_sub(1)).fold(0_u128, |number, symbol| (number << 5) | u128::from(*symbol));
    let last = data.next().copied().unwrap_or_default();
    let number = Zeroizing::new((number << 3) | u128::from(last >> 2));
    //= spec/protocol.md#cards-and-keys-as-text
    //# TXT-6. A reader MUST refuse a block whose D(α) or D(α^2) is not 0, or in which the two bits behind the bytes are not 0.
    (Zeroizing::new(number.to_be_bytes()), check::holds(block) & (last & SPARE).ct_eq(&0))
}
