//! What booting and a request cost: the stack that they touched, the instructions that they took, what they wrote.
//!
//! Instructions of interrupts are among them.

use core::marker::PhantomData;

use super::nor::Nor;
use super::{Chip, Emulated};
use crate::board::{Board, Hardware as _};
use crate::door::Door;
use crate::log::Part::{Number, Text};

const PAINT: u32 = 0x5ca1_ab1e;
/// Left unpainted below the stack pointer, for the painting itself.
const MARGIN: usize = 64;

unsafe extern "C" {
    static mut _stack_end: u32;
    static mut _stack_start: u32;
}

/// A measurement under way.
pub(super) struct Meter<C> {
    chip: PhantomData<C>,
    /// The stack in use where it began.
    above: usize,
    top: usize,
    begin: u32,
    words: u32,
    erased: u32,
}

impl<C: Chip> Meter<C> {
    /// Paints the stack that is free, and starts the clock.
    #[inline(never)]
    pub(super) fn start(above: usize, flash: &Nor<C>) -> Self {
        let top = cortex_m::register::msp::read() as usize;
        let mut at = bottom();
        while at < top.saturating_sub(MARGIN) {
            // SAFETY: between the end of the stack and the stack pointer there is nothing that lives.
            unsafe { core::ptr::write_volatile(at as *mut u32, PAINT) };
            at = at.saturating_add(size_of::<u32>());
        }
        Self { chip: PhantomData, above, top, begin: C::count(), words: flash.words, erased: flash.erased }
    }

    /// Ends the measurement, and logs it.
    #[inline(never)]
    pub(super) fn stop(self, of: &str, board: &mut Board<Nor<C>, Emulated<C>>) {
        let counts = self.begin.wrapping_sub(C::count());
        let mut at = bottom();
        // SAFETY: memory of the stack, to read.
        while at < self.top && unsafe { core::ptr::read_volatile(at as *const u32) } == PAINT {
            at = at.saturating_add(size_of::<u32>());
        }
        let flash = board.records.flash();
        let (words, erased) = (flash.words.saturating_sub(self.words), flash.erased.saturating_sub(self.erased));
        let measured = [
            ("above", self.above as u32),
            ("stack", self.top.saturating_sub(at) as u32),
            ("instructions", counts.saturating_mul(C::INSTRUCTIONS)),
            ("words", words),
            ("erased", erased),
        ];
        log(board, of, &measured);
    }
}

/// The size of the lock.
pub(super) fn log_size<C: Chip>(door: &mut Door<'_, Nor<C>, Emulated<C>>) {
    let size = size_of_val(door.lock()) as u32;
    log(door.board(), "sizes", &[("lock", size)]);
}

/// `of: name number name number …`
fn log<C: Chip>(board: &mut Board<Nor<C>, Emulated<C>>, of: &str, numbers: &[(&str, u32)]) {
    let mut parts = [Text(""); 23];
    let named = numbers.iter().flat_map(|(name, number)| [Text(" "), Text(name), Text(" "), Number(*number)]);
    let all = [Text("measured "), Text(of), Text(":")].into_iter().chain(named);
    parts.iter_mut().zip(all).for_each(|(to, from)| *to = from);
    board.hardware.log(&parts);
}

/// The stack that is in use now.
#[must_use]
pub(super) fn above() -> usize {
    (&raw const _stack_start).addr().saturating_sub(cortex_m::register::msp::read() as usize)
}

fn bottom() -> usize {
    (&raw const _stack_end).addr()
}
