//! Registers of a chip, and its interrupts.

use core::ptr::{read_volatile, write_volatile};

use cortex_m::interrupt::InterruptNumber;

/// The registers of a part, of 32 bits each.
#[derive(Clone, Copy)]
pub struct Registers(usize);

impl Registers {
    /// The part at this address.
    ///
    /// # Safety
    /// There is one, by the chip's manual: with registers at the offsets that are asked for, and nothing that is written
    /// there touches memory.
    #[must_use]
    pub const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    /// What the register at this offset says.
    #[must_use]
    pub fn read(self, offset: usize) -> u32 {
        // SAFETY: a register, by `at`.
        unsafe { read_volatile((self.0 | offset) as *const u32) }
    }

    /// Sets it.
    pub fn write(self, offset: usize, value: u32) {
        // SAFETY: a register, by `at`.
        unsafe { write_volatile((self.0 | offset) as *mut u32, value) }
    }
}

/// The interrupt of this number.
#[derive(Clone, Copy)]
pub struct Interrupt(pub u16);

// SAFETY: every number is one of the interrupt controller's.
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self.0
    }
}
