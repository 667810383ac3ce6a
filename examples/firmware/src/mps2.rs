//! The board: QEMU's `mps2-an386`, a Cortex-M4 at 25 MHz.
//!
//! | part | here | on a product |
//! |---|---|---|
//! | link to phones | UART 0, COBS frames | BLE or NFC |
//! | log | UART 1 | nothing, or a debug pin |
//! | flash | the file `flash`, [`nor`] | pages of the chip's flash that nothing else uses |
//! | entropy | the file `entropy` | a true random number generator |
//! | activation secret | the file `card` | written at the factory, in memory that cannot be read out |
//! | button inside | pressed while there is a file `button` | a button |
//! | bolt | a line in the log | a motor |
//! | ticks | SysTick | a timer that runs through sleep |
//!
//! The files are read and written by semihosting, in the directory where QEMU runs. Semihosting is a
//! debugger's door into the machine: nothing of this file's kind belongs into a product.

use core::fmt;

use sharekey::limits::Action;
use sharekey::secret::ActivationSecret;

use crate::board::{Entropy, Hardware, NoEntropy};
use crate::door::word;
use crate::link::Serial;

pub mod nor;
mod semihosting;
mod ticks;
mod uart;

#[cfg(feature = "figures")]
pub mod meter;

use self::semihosting::File;
use self::uart::{LINK, LOG};

/// What the firmware has of the board.
pub struct Mps2(());

/// The serial line that phones talk over.
pub struct Link(());

/// Starts the parts that run by themselves. Call it once, from `main`.
pub fn start(peripherals: cortex_m::Peripherals) -> (Mps2, Link) {
    ticks::start(peripherals.SYST);
    LINK.enable();
    uart::listen();
    LOG.enable();
    (Mps2(()), Link(()))
}

impl Mps2 {
    /// What the factory wrote: the secret on the card that lies in the box. `None` where it wrote none.
    #[must_use]
    pub fn card(&self) -> Option<ActivationSecret> {
        let mut secret = zeroize::Zeroizing::new([0; 16]);
        File::open_to_read(c"card")?.read(secret.as_mut_slice()).then(|| ActivationSecret::from_bytes(*secret))
    }
}

impl Entropy for Mps2 {
    /// The host's entropy, by a file. Good for an emulator and for nothing else.
    fn fill(&mut self, into: &mut [u8; 32]) -> Result<(), NoEntropy> {
        let file = File::open_to_read(c"entropy").ok_or(NoEntropy)?;
        if file.read(into) { Ok(()) } else { Err(NoEntropy) }
    }
}

impl Hardware for Mps2 {
    fn ticks(&self) -> u64 {
        ticks::now()
    }

    fn button_is_pressed(&mut self) -> bool {
        File::open_to_read(c"button").is_some()
    }

    fn bolt(&mut self, to: Action, by: &dyn fmt::Display) {
        self.log(format_args!("bolt: {} by {by}", word(to)));
    }

    fn log(&mut self, line: fmt::Arguments<'_>) {
        // A UART does not fail.
        let _ = fmt::write(&mut &LOG, line);
        LOG.send(b'\n');
    }
}

impl Serial for Link {
    fn receive(&mut self) -> u8 {
        loop {
            if let Some(byte) = uart::received() {
                return byte;
            }
            // A byte that comes before this line waits for the next tick.
            wait();
        }
    }

    fn send(&mut self, byte: u8) {
        LINK.send(byte);
    }
}

/// Waits for the next tick, a millisecond at most.
pub fn wait() {
    cortex_m::asm::wfi();
}

/// Stops for good. Who services the lock finds the last line of the log.
pub fn halt() -> ! {
    loop {
        wait();
    }
}

/// A panic. Nothing is meant to get here, and `figures.sh` lists what the linker could not rule out.
pub fn panicked() -> ! {
    cortex_m::interrupt::disable();
    "panic\n".bytes().for_each(|byte| LOG.send(byte));
    halt()
}
