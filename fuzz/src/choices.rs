//! Structure out of the fuzzer's bytes. When they run out, every choice is the first one.

use arbitrary::{Arbitrary, Unstructured};

pub struct Choices<'a>(Unstructured<'a>);

impl<'a> Choices<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self(Unstructured::new(data))
    }

    /// Whether there is anything left to choose by.
    pub fn more(&self) -> bool {
        !self.0.is_empty()
    }

    pub fn any<T: Arbitrary<'a>>(&mut self) -> T {
        self.0.arbitrary().unwrap()
    }

    /// One of `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0.int_in_range(0..=n - 1).unwrap_or_default()
    }

    /// True one time in `n`, and not for a byte of 0.
    pub fn one_in(&mut self, n: u8) -> bool {
        self.any::<u8>() % n == n - 1
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Everything that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0.take_rest()
    }

    /// A number, or one beside it.
    pub fn beside(&mut self, number: u64) -> u64 {
        match self.any::<u8>() {
            0..=170 => number,
            171..=212 => number.saturating_add(1),
            _ => number.saturating_sub(1),
        }
    }
}
