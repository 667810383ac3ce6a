//! What a request costs: the stack that it touched, the instructions that it took, what it wrote.
//!
//! Under QEMU's `-icount shift=0` one instruction takes one virtual nanosecond, so a 25 MHz timer
//! counts 40 instructions. Instructions of interrupts (one a virtual millisecond) are among them.

use core::fmt;

use super::nor::Nor;

const PAINT: u32 = 0x5ca1_ab1e;
/// Left unpainted below the stack pointer, for the painting itself.
const MARGIN: usize = 64;

/// The CMSDK timer 0 counts down from its reload value, at 25 MHz.
const TIMER: usize = 0x4000_0000;
const CONTROL: *mut u32 = TIMER as *mut u32;
const VALUE: *mut u32 = (TIMER | 4) as *mut u32;
const RELOAD: *mut u32 = (TIMER | 8) as *mut u32;
const INSTRUCTIONS_PER_COUNT: u32 = 40;

unsafe extern "C" {
    static mut _stack_end: u32;
    static mut _stack_start: u32;
}

/// A measurement under way.
pub struct Meter {
    top: usize,
    begin: u32,
    words: u32,
    erased: u32,
}

/// What was measured.
pub struct Measured {
    /// Bytes of stack below the frame that called the request.
    stack: usize,
    instructions: u32,
    words: u32,
    erased: u32,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stack, instructions, words, erased } = self;
        write!(f, "measured: stack {stack} instructions {instructions} words {words} erased {erased}")
    }
}

impl Meter {
    /// Paints the stack that is free, and starts the clock.
    #[inline(never)]
    pub fn start(flash: &Nor) -> Self {
        let top = cortex_m::register::msp::read() as usize;
        let mut at = bottom();
        while at < top.saturating_sub(MARGIN) {
            // SAFETY: between the end of the stack and the stack pointer there is nothing that lives.
            unsafe { core::ptr::write_volatile(at as *mut u32, PAINT) };
            at = at.saturating_add(size_of::<u32>());
        }
        // SAFETY: registers of the timer, by the board's manual.
        unsafe {
            core::ptr::write_volatile(RELOAD, u32::MAX);
            core::ptr::write_volatile(VALUE, u32::MAX);
            core::ptr::write_volatile(CONTROL, 1);
        }
        Self { top, begin: count(), words: flash.words, erased: flash.erased }
    }

    /// Ends the measurement.
    #[inline(never)]
    #[must_use]
    pub fn stop(self, flash: &Nor) -> Measured {
        let counts = self.begin.wrapping_sub(count());
        let mut at = bottom();
        // SAFETY: memory of the stack, to read.
        while at < self.top && unsafe { core::ptr::read_volatile(at as *const u32) } == PAINT {
            at = at.saturating_add(size_of::<u32>());
        }
        Measured {
            stack: self.top.saturating_sub(at),
            instructions: counts.saturating_mul(INSTRUCTIONS_PER_COUNT),
            words: flash.words.saturating_sub(self.words),
            erased: flash.erased.saturating_sub(self.erased),
        }
    }
}

fn count() -> u32 {
    // SAFETY: a register of the timer, by the board's manual.
    unsafe { core::ptr::read_volatile(VALUE) }
}

/// The stack that is in use now.
#[must_use]
pub fn above() -> usize {
    (&raw const _stack_start).addr().saturating_sub(cortex_m::register::msp::read() as usize)
}

fn bottom() -> usize {
    (&raw const _stack_end).addr()
}
