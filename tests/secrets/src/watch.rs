//! Marking secrets, and what memcheck found.

use std::convert::Infallible;
use std::ffi::c_void;
use std::hint::black_box;

use crabgrind::memcheck::{self, MemState};
use crabgrind::valgrind;
use rand_core::{Rng, TryCryptoRng, TryRng};

/// From here on memcheck counts what depends on these bytes. Their values stay.
pub fn hide(bytes: &mut [u8]) {
    mark(bytes, MemState::Undefined);
}

/// What was computed from secrets and may be known: it goes out in the clear.
#[must_use]
pub fn declassify<const N: usize>(mut bytes: [u8; N]) -> [u8; N] {
    mark(&mut bytes, MemState::Defined);
    bytes
}

/// A message as it goes over the air, where everybody reads it: declassified.
#[must_use]
pub fn sent(message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    mark(&mut message, MemState::Defined);
    message
}

/// Of a text that is ASCII, what everybody knows: that the top bit of each byte is 0.
pub fn declassify_top_bits<T>(text: &mut T) {
    let address = std::ptr::from_mut(text).cast_const().cast();
    let mut bits = undefined_bits(address, size_of_val(text));
    bits.iter_mut().for_each(|bits| *bits &= 0x7f);
    memcheck::set_vbits(black_box(address), &bits).expect("under valgrind");
}

/// A verdict that the caller may know, whatever it was computed from.
#[must_use]
pub fn public(verdict: bool) -> bool {
    // As a byte in memory, so that nothing branches on it before.
    declassify([black_box(u8::from(verdict))]) == [1]
}

/// Whether memcheck takes any bit of the bytes for undefined. (Its own check for that counts as an error.)
#[must_use]
pub fn is_hidden(bytes: &[u8]) -> bool {
    undefined_bits(bytes.as_ptr().cast(), bytes.len()).iter().any(|bits| *bits != 0)
}

/// How many errors `run` makes memcheck report, those that the suppressions name left out.
pub fn errors(run: impl FnOnce()) -> usize {
    let before = valgrind::count_errors();
    run();
    valgrind::count_errors() - before
}

#[must_use]
pub fn under_valgrind() -> bool {
    valgrind::running_mode() != valgrind::RunningMode::Native
}

/// Which bits are undefined: 1 in the place of each.
fn undefined_bits(address: *const c_void, length: usize) -> Vec<u8> {
    let mut bits = vec![0; length];
    memcheck::vbits(black_box(address), &mut bits).expect("under valgrind");
    bits
}

/// The pointer goes out of the compiler's sight: what it knows of the bytes, in registers too, is forgotten.
fn mark(bytes: &mut [u8], state: MemState) {
    let address: *mut u8 = black_box(bytes.as_mut_ptr());
    memcheck::mark_memory(address.cast_const().cast(), bytes.len(), state).expect("under valgrind");
    black_box(address);
}

/// Entropy that is secret.
pub struct Hidden<R>(pub R);

impl<R: Rng> TryRng for Hidden<R> {
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

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        hide(bytes);
        Ok(())
    }
}

impl<R: Rng> TryCryptoRng for Hidden<R> {}
