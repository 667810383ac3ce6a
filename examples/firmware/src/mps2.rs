//! QEMU's `mps2-an386`: a Cortex-M4 at 25 MHz, CMSDK UARTs and timers, flash as of an nRF52 (pages of 4 KiB, words of 4
//! bytes). SysTick counts the ticks, and its interrupts are taken.

use crate::emulated::{Chip, wait};
use crate::link::Serial;

mod ticks;
mod uart;

use self::uart::{LINK, LOG};

/// What the firmware has of the chip.
pub struct Mps2(());

/// UART 0.
pub struct Link(());

impl Chip for Mps2 {
    type Link = Link;
    const WORD: usize = 4;
    const PAGE: usize = 4096;
    const PAGES: usize = 8;
    /// The board's PSRAM.
    const MAPPED: usize = 0x2100_0000;

    fn start(peripherals: cortex_m::Peripherals) -> (Self, Link) {
        ticks::start(peripherals.SYST);
        LINK.enable();
        uart::listen();
        LOG.enable();
        #[cfg(feature = "figures")]
        counter::start();
        (Self(()), Link(()))
    }

    fn ticks(&self) -> u64 {
        ticks::now()
    }

    fn log(byte: u8) {
        LOG.send(byte);
    }

    fn busy() {
        ticks::wait_counts(10_000);
    }

    #[cfg(feature = "figures")]
    const INSTRUCTIONS: u32 = 40;

    #[cfg(feature = "figures")]
    fn count() -> u32 {
        counter::read()
    }
}

/// The CMSDK timer 0 counts down, at 25 MHz: under QEMU's `-icount shift=0` an instruction takes a virtual nanosecond.
#[cfg(feature = "figures")]
mod counter {
    use crate::emulated::registers::Registers;

    // SAFETY: a timer of the board, by its manual.
    const TIMER: Registers = unsafe { Registers::at(0x4000_0000) };
    const VALUE: usize = 4;
    const RELOAD: usize = 8;

    pub(super) fn start() {
        TIMER.write(RELOAD, u32::MAX);
        TIMER.write(VALUE, u32::MAX);
        TIMER.write(0, 1);
    }

    pub(super) fn read() -> u32 {
        TIMER.read(VALUE)
    }
}

impl Serial for Link {
    fn receive(&mut self) -> u8 {
        loop {
            if let Some(byte) = uart::received() {
                return byte;
            }
            // A byte that comes before this line waits for the next tick, a millisecond at most.
            wait();
        }
    }

    fn send(&mut self, byte: u8) {
        LINK.send(byte);
    }
}
