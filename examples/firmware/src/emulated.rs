//! What the boards in QEMU share: the host's files for what they lack, and `main`.
//!
//! | part | here | on a product |
//! |---|---|---|
//! | link to phones | a UART, COBS frames | BLE or NFC |
//! | log | a UART | nothing, or a debug pin |
//! | flash | the file `flash`, [`nor`] | pages of the chip's flash that nothing else uses |
//! | entropy | the file `entropy` | a true random number generator |
//! | activation secret | the file `card` | written at the factory, in memory that cannot be read out |
//! | button inside | pressed while there is a file `button` | a button |
//! | bolt | a line in the log | a motor |
//! | ticks | the board's timer | a timer that runs through sleep |
//!
//! The files are read and written by semihosting, in the directory where QEMU runs. Semihosting is a
//! debugger's door into the machine: nothing of this file's kind belongs into a product.

use sequential_storage::map::MapConfig;
use sharekey::crypto::RustCrypto;
use sharekey::error::Blame as _;
use sharekey::limits::Action;
use sharekey::lock::{Answer, By, MAX_REQUEST};
use sharekey::secret::ActivationSecret;

use crate::Here;
use crate::board::{Board, Entropy, Hardware, NoEntropy};
use crate::door::Door;
#[cfg(not(feature = "figures"))]
use crate::door::handle;
use crate::entropy::Drawn;
use crate::link::{self, Serial};
use crate::log::Part::{self, Hex, Number, Text};

#[cfg(feature = "figures")]
pub mod meter;
pub mod nor;
pub mod registers;
mod semihosting;

use self::nor::Nor;
use self::semihosting::File;

/// What differs from board to board.
pub trait Chip: Sized {
    /// The serial line that phones talk over.
    type Link: Serial;
    /// Bytes of flash that are programmed at once.
    const WORD: usize;
    /// Bytes that are erased at once.
    const PAGE: usize;
    /// How many pages there are.
    const PAGES: usize;
    /// Where the flash is mapped: memory that the program does not use otherwise.
    const MAPPED: usize;

    /// Starts the parts that run by themselves.
    fn start(peripherals: cortex_m::Peripherals) -> (Self, Self::Link);

    /// Milliseconds, as [`Hardware::ticks`] counts them.
    fn ticks(&self) -> u64;

    /// Sends a byte of the log.
    fn log(byte: u8);

    /// Waits 0.4 ms, which a word or a step of an erase takes, as on a slow part: a cut of the power then finds writes
    /// half done.
    fn busy();

    /// Counts down with the instructions, where the emulator counts them: so many to a count.
    #[cfg(feature = "figures")]
    const INSTRUCTIONS: u32;

    /// That counter, which wraps.
    #[cfg(feature = "figures")]
    fn count() -> u32;
}

/// A board in QEMU: the chip, and the host's files.
pub struct Emulated<C>(C);

impl<C: Chip> Emulated<C> {
    /// Starts it; there is one.
    #[must_use]
    pub fn start() -> Option<(Self, C::Link)> {
        let (chip, link) = C::start(cortex_m::Peripherals::take()?);
        Some((Self(chip), link))
    }

    /// What the factory wrote: the secret on the card that lies in the box. `None` where it wrote none.
    #[must_use]
    pub fn card(&self) -> Option<ActivationSecret> {
        let mut secret = zeroize::Zeroizing::new([0; 16]);
        File::open_to_read(c"card")?.read(secret.as_mut_slice()).then(|| ActivationSecret::from_bytes(*secret))
    }
}

impl<C> Entropy for Emulated<C> {
    /// The host's entropy, by a file. Good for an emulator and for nothing else.
    fn fill(&mut self, into: &mut [u8; 32]) -> Result<(), NoEntropy> {
        let file = File::open_to_read(c"entropy").ok_or(NoEntropy)?;
        if file.read(into) { Ok(()) } else { Err(NoEntropy) }
    }
}

impl<C: Chip> Hardware for Emulated<C> {
    fn ticks(&self) -> u64 {
        self.0.ticks()
    }

    fn button_is_pressed(&mut self) -> bool {
        File::open_to_read(c"button").is_some()
    }

    fn bolt(&mut self, to: Action, by: By) {
        let to = match to {
            Action::Open => Text("bolt: open by "),
            Action::Lock => Text("bolt: lock by "),
        };
        match by {
            By::Owner => self.log(&[to, Text("the owner")]),
            By::Guest { slot, generation, device } => {
                let [slot, number] = [u32::from(slot.index()), generation.value()].map(Number);
                self.log(&[
                    to,
                    Text("slot "),
                    slot,
                    Text(" number "),
                    number,
                    Text(" device "),
                    Hex(device.as_bytes()),
                ]);
            }
        }
    }

    fn log(&mut self, line: &[Part<'_>]) {
        line.iter().for_each(|part| part.send(&mut C::log));
        C::log(b'\n');
    }
}

/// The lock, on such a board: its `main`.
pub fn run<C: Chip>() -> ! {
    let Some((mut hardware, mut link)) = Emulated::<C>::start() else { halt() };
    let Some(flash) = Nor::open(&hardware) else { stop(&mut hardware, "no flash") };
    let Some(card) = hardware.card() else { stop(&mut hardware, "no card") };
    let mut rng = loop {
        match Drawn::from(&mut hardware) {
            Ok(drawn) => break drawn,
            // Not ready yet. Without it a lock gives no challenge, so there is nothing to miss.
            Err(NoEntropy) => wait(),
        }
    };
    let whole = const { MapConfig::new(0..nor::size::<C>() as u32) };
    let mut board = Board::new(flash, whole, hardware);
    #[cfg(feature = "figures")]
    let meter = meter::Meter::start(meter::above(), board.records.flash());
    // Where it stays: to move it would take its room twice.
    let mut place = None;
    let error = match Door::boot_in(&mut place, RustCrypto, card, &mut board, &mut rng) {
        Ok(door) => {
            #[cfg(feature = "figures")]
            meter.stop("boot", door.board());
            serve(door, &mut link)
        }
        Err(error) => error,
    };
    stop(&mut board.hardware, error.name())
}

/// Answers requests.
#[inline(never)]
fn serve<C: Chip>(door: &mut Door<'_, Nor<C>, Emulated<C>>, link: &mut C::Link) -> ! {
    let (mut buffer, mut answer) = ([0; MAX_REQUEST], Answer::new());
    let id = door.lock().id();
    #[cfg(feature = "figures")]
    meter::log_size(door);
    door.board().hardware.log(&[Text("ready: "), Hex(id.key().as_bytes())]);
    loop {
        let length = link::receive(link, &mut buffer);
        let request = buffer.get(..length).unwrap_or_default();
        handle(door, request, &mut answer);
        link::send(link, &answer);
    }
}

#[cfg(feature = "figures")]
fn handle<C: Chip>(door: &mut Door<'_, Nor<C>, Emulated<C>>, request: &[u8], answer: &mut Answer) {
    let meter = meter::Meter::start(meter::above(), door.board().records.flash());
    crate::door::handle(door, request, answer);
    meter.stop("request", door.board());
}

fn stop(hardware: &mut impl Hardware, why: &str) -> ! {
    hardware.log(&[Text("stopped: "), Text(why)]);
    halt()
}

/// Waits for an interrupt.
pub fn wait() {
    cortex_m::asm::wfi();
}

/// Stops for good. Who services the lock finds the last line of the log.
pub fn halt() -> ! {
    loop {
        wait();
    }
}

/// Nothing is meant to get here, and `figures.sh` lists what the linker could not rule out.
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    cortex_m::interrupt::disable();
    "panic\n".bytes().for_each(Here::log);
    halt()
}
