//! The board without the lock: link, log, flash and their start. It sends every frame back.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use sharekey::lock::MAX_REQUEST;
use sharekey_firmware::board::{Entropy as _, Hardware as _};
use sharekey_firmware::link;
use sharekey_firmware::mps2::{self, nor::Nor};

#[entry]
fn main() -> ! {
    let Some(peripherals) = cortex_m::Peripherals::take() else { mps2::halt() };
    let (mut board, mut link) = mps2::start(peripherals);
    let flash = Nor::open(&board).is_some();
    let card = board.card().is_some();
    let entropy = board.fill(&mut [0; 32]).is_ok();
    board.log(format_args!("ready: flash {flash}, card {card}, entropy {entropy}, {} ms", board.ticks()));
    let mut buffer = [0; MAX_REQUEST];
    loop {
        let length = link::receive(&mut link, &mut buffer);
        link::send(&mut link, buffer.get(..length).unwrap_or_default());
    }
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    mps2::panicked()
}
