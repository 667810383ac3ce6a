//! From the board's entropy to the infallible generator that the library takes.

use rand_core::{TryCryptoRng, TryRng};
use sharekey::crypto::{Mac as _, RustCrypto};
use zeroize::Zeroizing;

use crate::board::{Entropy, NoEntropy};

/// The entropy of one request: drawn whole before the lock is asked, so that a source that fails
/// refuses the request instead of half of it. Expanded by HMAC-SHA256 over a counter, as HKDF does.
pub struct Drawn {
    seed: Zeroizing<[u8; 32]>,
    block: u64,
}

impl Drawn {
    /// Draws 32 bytes.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn from(source: &mut (impl Entropy + ?Sized)) -> Result<Self, NoEntropy> {
        let mut seed = Zeroizing::new([0; 32]);
        source.fill(&mut seed)?;
        Ok(Self { seed, block: 0 })
    }

    fn next_block(&mut self) -> Zeroizing<[u8; 32]> {
        self.block = self.block.wrapping_add(1);
        let label = b"sharekey firmware entropy";
        Zeroizing::new(RustCrypto.hmac_sha256(self.seed.as_slice(), &[label, &self.block.to_le_bytes()]))
    }
}

impl TryRng for Drawn {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let [a, b, c, d, ..] = *self.next_block();
        Ok(u32::from_le_bytes([a, b, c, d]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let [a, b, c, d, e, f, g, h, ..] = *self.next_block();
        Ok(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in into.chunks_mut(32) {
            let block = self.next_block();
            chunk.iter_mut().zip(block.iter()).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}
