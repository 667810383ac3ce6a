//! CMSDK APB UARTs. Their baud rate means nothing in QEMU.

use core::fmt;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;

/// UART 0.
pub(super) const LINK: Uart = Uart(0x4000_4000);
/// UART 1.
pub(super) const LOG: Uart = Uart(0x4000_5000);

pub(super) struct Uart(usize);

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
        self.write(DIVISOR, 16);
        self.write(CONTROL, TX_ON);
    }

    pub(super) fn send(&self, byte: u8) {
        while self.read(STATE) & TX_FULL != 0 {}
        self.write(DATA, byte.into());
    }

    fn read(&self, register: usize) -> u32 {
        // SAFETY: a register of this UART, by the board's manual.
        unsafe { core::ptr::read_volatile((self.0 | register) as *const u32) }
    }

    fn write(&self, register: usize, value: u32) {
        // SAFETY: a register of this UART, by the board's manual. None makes it touch memory.
        unsafe { core::ptr::write_volatile((self.0 | register) as *mut u32, value) }
    }
}

impl fmt::Write for &Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.send(byte));
        Ok(())
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

/// Takes bytes from the link from here on.
pub(super) fn listen() {
    LINK.write(CONTROL, TX_ON | RX_ON | RX_INTERRUPT_ON);
    // SAFETY: no critical section is open that this could break.
    unsafe { NVIC::unmask(LinkReceived) };
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
    LINK.write(INTERRUPTS, RX_INTERRUPT);
    while LINK.read(STATE) & RX_FULL != 0 {
        let byte = LINK.read(DATA).to_le_bytes()[0];
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
    super::panicked();
}

#[derive(Clone, Copy)]
struct LinkReceived;

// SAFETY: interrupt 0 is the receive interrupt of UART 0.
unsafe impl InterruptNumber for LinkReceived {
    fn number(self) -> u16 {
        0
    }
}

/// The interrupt table of the board.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
static __INTERRUPTS: [unsafe extern "C" fn(); 32] = {
    let mut table: [unsafe extern "C" fn(); 32] = [unexpected; 32];
    table[0] = link_received;
    table
};
