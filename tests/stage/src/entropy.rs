//! A random source that broke.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

/// The byte that it gives for ever.
pub const BYTE: u8 = 0x5a;

/// The same byte for ever: nothing but the counter keeps nonces apart.
#[derive(Clone, Copy)]
pub struct Broken;

impl TryRng for Broken {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes([BYTE; 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes([BYTE; 8]))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.fill(BYTE);
        Ok(())
    }
}

impl TryCryptoRng for Broken {}
