//! The lock.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use sequential_storage::map::MapConfig;
use sharekey::crypto::RustCrypto;
use sharekey::lock::{Answer, MAX_REQUEST};
use sharekey_firmware::board::{Board, Hardware as _, NoEntropy};
use sharekey_firmware::door::Door;
#[cfg(not(feature = "figures"))]
use sharekey_firmware::door::handle;
use sharekey_firmware::entropy::Drawn;
use sharekey_firmware::link;
use sharekey_firmware::mps2::nor::{Nor, PAGE, PAGES};
use sharekey_firmware::mps2::{self, Link, Mps2};

const WHOLE: MapConfig<Nor> = MapConfig::new(0..(PAGE * PAGES) as u32);

#[entry]
fn main() -> ! {
    let Some(peripherals) = cortex_m::Peripherals::take() else { mps2::halt() };
    let (mut hardware, mut link) = mps2::start(peripherals);
    let Some(flash) = Nor::open(&hardware) else { stop(&mut hardware, format_args!("no flash")) };
    let Some(card) = hardware.card() else { stop(&mut hardware, format_args!("no card")) };
    let mut rng = loop {
        match Drawn::from(&mut hardware) {
            Ok(drawn) => break drawn,
            // Not ready yet. Without it a lock gives no challenge, so there is nothing to miss.
            Err(NoEntropy) => mps2::wait(),
        }
    };
    let mut board = Board::new(flash, WHOLE, hardware);
    // Where it stays: to move it would take its room twice.
    let mut place = None;
    let error = match Door::boot_in(&mut place, RustCrypto, card, &mut board, &mut rng) {
        Ok(door) => serve(door, &mut link),
        Err(error) => error,
    };
    stop(&mut board.hardware, format_args!("{error}"))
}

/// Answers requests.
#[inline(never)]
fn serve(door: &mut Door<'_, Nor, Mps2>, link: &mut Link) -> ! {
    let (mut buffer, mut answer) = ([0; MAX_REQUEST], Answer::new());
    let id = door.lock().id();
    #[cfg(feature = "figures")]
    let sizes = (size_of_val(door.lock()), mps2::meter::above());
    let log = &mut door.board().hardware;
    #[cfg(feature = "figures")]
    log.log(format_args!("sizes: lock {} above {}", sizes.0, sizes.1));
    log.log(format_args!("ready: {}", id.key()));
    loop {
        let length = link::receive(link, &mut buffer);
        let request = buffer.get(..length).unwrap_or_default();
        handle(door, request, &mut answer);
        link::send(link, &answer);
    }
}

#[cfg(feature = "figures")]
fn handle(door: &mut Door<'_, Nor, Mps2>, request: &[u8], answer: &mut Answer) {
    let meter = mps2::meter::Meter::start(door.board().records.flash());
    sharekey_firmware::door::handle(door, request, answer);
    let measured = meter.stop(door.board().records.flash());
    door.board().hardware.log(format_args!("{measured}"));
}

fn stop(hardware: &mut Mps2, why: core::fmt::Arguments<'_>) -> ! {
    hardware.log(format_args!("stopped: {why}"));
    mps2::halt()
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    mps2::panicked()
}
