//! CMSDK APB UARTs. Their baud rate means nothing in QEMU.

use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use cortex_m::peripheral::NVIC;

use crate::emulated::halt;
use crate::emulated::registers::{Interrupt, Registers};

// SAFETY: a UART of the board, by its manual.
pub(super) const LINK: Uart = Uart(unsafe { Registers::at(0x4000_4000) });
// SAFETY: another.
pub(super) const LOG: Uart = Uart(unsafe { Registers::at(0x4000_5000) });

pub(super) struct Uart(Registers);

const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CONTROL: usize = 0x08;
const INTERRUPTS: usize = 0x0c;
const DIVISOR: usize = 0x10;

const TX_FULL: u32 = 1;
const RX_FULL: u32 = 1 << 1;
const TX_ON: u32 = 1;
const RX_ON: u32 = 1 << 1;
const RX_INTERRUPT_ON: u32 = 1 << 3;
const RX_INTERRUPT: u32 = 1 << 1;

impl Uart {
    /// Sends only.
    pub(super) fn enable(&self) {
        self.0.write(DIVISOR, 16);
        self.0.write(CONTROL, TX_ON);
    }

    pub(super) fn send(&self, byte: u8) {
        while self.0.read(STATE) & TX_FULL != 0 {}
        self.0.write(DATA, byte.into());
    }
}

/// What has come over the link and was not taken yet. What finds it full is lost: no frame is as long.
static RING: [AtomicU8; CAPACITY] = [const { AtomicU8::new(0) }; CAPACITY];
/// A power of two.
const CAPACITY: usize = 1024;
const WRAP: usize = CAPACITY - 1;
/// How many bytes were put in, and taken out; only the interrupt changes the one, only `main` the other.
static PUT: AtomicUsize = AtomicUsize::new(0);
static TAKEN: AtomicUsize = AtomicUsize::new(0);

const LINK_RECEIVED: Interrupt = Interrupt(0);

/// Takes bytes from the link from here on.
pub(super) fn listen() {
    LINK.0.write(CONTROL, TX_ON | RX_ON | RX_INTERRUPT_ON);
    // SAFETY: no critical section is open that this could break.
    unsafe { NVIC::unmask(LINK_RECEIVED) };
}

/// The next byte that was received.
pub(super) fn received() -> Option<u8> {
    let taken = TAKEN.load(Ordering::Relaxed);
    if taken == PUT.load(Ordering::Acquire) {
        return None;
    }
    let byte = RING.get(taken & WRAP)?.load(Ordering::Relaxed);
    TAKEN.store(taken.wrapping_add(1), Ordering::Release);
    Some(byte)
}

unsafe extern "C" fn link_received() {
    LINK.0.write(INTERRUPTS, RX_INTERRUPT);
    while LINK.0.read(STATE) & RX_FULL != 0 {
        let byte = LINK.0.read(DATA).to_le_bytes()[0];
        let put = PUT.load(Ordering::Relaxed);
        if put.wrapping_sub(TAKEN.load(Ordering::Acquire)) < CAPACITY
            && let Some(place) = RING.get(put & WRAP)
        {
            place.store(byte, Ordering::Relaxed);
            PUT.store(put.wrapping_add(1), Ordering::Release);
        }
    }
}

unsafe extern "C" fn unexpected() {
    halt();
}

/// The interrupt table of the board.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
static __INTERRUPTS: [unsafe extern "C" fn(); 32] = {
    let mut table: [unsafe extern "C" fn(); 32] = [unexpected; 32];
    table[0] = link_received;
    table
};
