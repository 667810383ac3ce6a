//! The lock.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use sequential_storage::map::MapConfig;
use sharekey::lock::MAX_REQUEST;
use sharekey_firmware::board::Board as _;
use sharekey_firmware::boot::{ThisLock, boot};
use sharekey_firmware::door::{Door, Outcome, Parts};
use sharekey_firmware::link;
use sharekey_firmware::mps2::nor::{Nor, PAGE, PAGES};
use sharekey_firmware::mps2::{self, Link, Mps2};
use sharekey_firmware::store::Store;

const WHOLE: MapConfig<Nor> = MapConfig::new(0..(PAGE * PAGES) as u32);

#[entry]
fn main() -> ! {
    let Some(peripherals) = cortex_m::Peripherals::take() else { mps2::halt() };
    let (mut board, mut link) = mps2::start(peripherals);
    let Some(flash) = Nor::open(&board) else { stop(&mut board, "no flash") };
    let mut store = Store::new(flash, WHOLE);
    // A lock that is reset is made anew by the next turn, as by a restart.
    loop {
        let Some(card) = board.card() else { stop(&mut board, "no card") };
        match boot(&mut board, &mut store, card) {
            // Where it is: to move it would take its room twice.
            Ok(ref mut lock) => serve(lock, &mut store, &mut board, &mut link),
            Err(error) => stop(&mut board, error.what()),
        }
    }
}

/// Answers requests until the lock is reset.
#[inline(never)]
fn serve(lock: &mut ThisLock, store: &mut Store<Nor>, board: &mut Mps2, link: &mut Link) {
    let mut door = Door::new();
    let mut buffer = [0; MAX_REQUEST];
    #[cfg(feature = "figures")]
    board.log(format_args!("sizes: lock {} above {}", size_of::<ThisLock>(), mps2::meter::above()));
    board.log(format_args!("ready: {}", lock.id().key()));
    loop {
        let length = link::receive(link, &mut buffer);
        let request = buffer.get(..length).unwrap_or_default();
        match answer(&mut door, Parts { lock, store, board }, request) {
            Outcome::Answer(message) => link::send(link, &message),
            Outcome::Silence => {}
            Outcome::Reset => return,
        }
    }
}

#[cfg(not(feature = "figures"))]
fn answer(door: &mut Door, parts: Parts<'_, Mps2, Nor>, request: &[u8]) -> Outcome {
    door.handle(parts, request)
}

#[cfg(feature = "figures")]
fn answer(door: &mut Door, parts: Parts<'_, Mps2, Nor>, request: &[u8]) -> Outcome {
    let Parts { lock, store, board } = parts;
    let meter = mps2::meter::Meter::start(store.flash());
    let outcome = door.handle(Parts { lock, store, board }, request);
    let measured = meter.stop(store.flash());
    board.log(format_args!("{measured}"));
    outcome
}

fn stop(board: &mut Mps2, why: &str) -> ! {
    board.log(format_args!("stopped: {why}"));
    mps2::halt()
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    mps2::panicked()
}
