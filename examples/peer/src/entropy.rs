//! Entropy that comes in with a request, so that every byte of a reply can be made again.

use std::convert::Infallible;

use rand_core::{Rng, TryCryptoRng, TryRng, UnwrapErr};

/// Bytes in the order in which they are drawn; the operating system's where none are given.
pub struct Entropy {
    given: Option<Vec<u8>>,
    used: usize,
}

impl Entropy {
    pub fn of(given: Option<Vec<u8>>) -> Self {
        Self { given, used: 0 }
    }

    /// Whether more was drawn than was given.
    pub fn ran_short(&self) -> bool {
        self.given.as_ref().is_some_and(|given| self.used > given.len())
    }
}

impl TryRng for Entropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        let Some(given) = &self.given else {
            UnwrapErr(getrandom::SysRng).fill_bytes(to);
            return Ok(());
        };
        to.fill(0);
        to.iter_mut().zip(given.iter().skip(self.used)).for_each(|(to, from)| *to = *from);
        self.used += to.len();
        Ok(())
    }
}

impl TryCryptoRng for Entropy {}
