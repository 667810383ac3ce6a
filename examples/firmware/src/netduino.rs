//! QEMU's `netduinoplus2`: an STM32F405, of which little is as on the first board. Flash as of an STM32G4 (pages of 2 KiB,
//! words of 8 bytes); a timer of 32 bits that wraps; and no interrupt is taken, one that is pending only wakes.
//!
//! Clocks and pins are ready in QEMU; on the part they have to be switched on first.

use cortex_m::peripheral::{NVIC, SCB};
use critical_section::Mutex;

use crate::clock::Unwrapped;
use crate::emulated::registers::{Interrupt, Registers};
use crate::emulated::{Chip, wait};
use crate::link::Serial;

const fn part(address: usize) -> Registers {
    // SAFETY: those below are parts of the chip, by its manual.
    unsafe { Registers::at(address) }
}

/// USART 1.
const LINK: Registers = part(0x4001_1000);
/// USART 2.
const LOG: Registers = part(0x4000_4400);
const STATE: usize = 0x0;
const DATA: usize = 0x4;
const CONTROL: usize = 0xc;
/// USART 1 has received a byte.
const RECEIVED: Interrupt = Interrupt(37);
/// Timer 2. QEMU gives it 1 GHz, and 32 768 Hz are left, as of a low-power timer. It wraps after a day and a half; here
/// first three seconds after the start, so that stories see it.
const TIMER: Registers = part(0x4000_0000);
const COUNTER: usize = 0x24;
const PRESCALER: usize = 0x28;

static TICKS: Mutex<Unwrapped> = Mutex::new(Unwrapped::begun());

/// What the firmware has of the chip; and the link.
pub struct Netduino(());

impl Chip for Netduino {
    type Link = Self;
    const WORD: usize = 8;
    const PAGE: usize = 2048;
    const PAGES: usize = 12;
    /// The upper half of the RAM.
    const MAPPED: usize = 0x2001_0000;

    fn start(mut peripherals: cortex_m::Peripherals) -> (Self, Self) {
        cortex_m::interrupt::disable();
        TIMER.write(PRESCALER, 30_517);
        TIMER.write(COUNTER, u32::MAX - 3 * 32_768);
        // On, to send; and to receive, and wake by it.
        LOG.write(CONTROL, 0x2008);
        LINK.write(CONTROL, 0x202c);
        // SAFETY: no critical section is open that this could break.
        unsafe { NVIC::unmask(RECEIVED) };
        // It wakes, so that the counter is read once a turn.
        peripherals.SYST.set_reload(0x00ff_ffff);
        peripherals.SYST.enable_counter();
        peripherals.SYST.enable_interrupt();
        (Self(()), Self(()))
    }

    /// 1000 of 32 768: no division is needed.
    fn ticks(&self) -> u64 {
        let turned = critical_section::with(|section| TICKS.borrow(section).read(TIMER.read(COUNTER)));
        turned.saturating_mul(1000) >> 15
    }

    fn log(byte: u8) {
        send(LOG, byte);
    }

    fn busy() {
        let begin = TIMER.read(COUNTER);
        while TIMER.read(COUNTER).wrapping_sub(begin) < 14 {}
    }
}

impl Serial for Netduino {
    fn receive(&mut self) -> u8 {
        while LINK.read(STATE) & 1 << 5 == 0 {
            self.ticks();
            NVIC::unpend(RECEIVED);
            SCB::clear_pendst();
            wait();
        }
        LINK.read(DATA).to_le_bytes()[0]
    }

    fn send(&mut self, byte: u8) {
        send(LINK, byte);
    }
}

fn send(to: Registers, byte: u8) {
    while to.read(STATE) & 1 << 7 == 0 {}
    to.write(DATA, byte.into());
}
