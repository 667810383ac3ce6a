//! The board without the lock: link, log, flash and their start. It sends every frame back.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use sharekey::lock::MAX_REQUEST;
use sharekey_firmware::board::{Entropy as _, Hardware as _};
use sharekey_firmware::emulated::{Emulated, halt, nor::Nor};
use sharekey_firmware::log::Part::{Number, Text};
use sharekey_firmware::{Here, link};

#[entry]
fn main() -> ! {
    let Some((mut board, mut link)) = Emulated::<Here>::start() else { halt() };
    let found = [Nor::open(&board).is_some(), board.card().is_some(), board.fill(&mut [0; 32]).is_ok()];
    let [flash, card, entropy] = found.map(|found| Number(found.into()));
    let ticks = Number(board.ticks() as u32);
    board.log(&[
        Text("ready: flash "),
        flash,
        Text(", card "),
        card,
        Text(", entropy "),
        entropy,
        Text(", ms "),
        ticks,
    ]);
    let mut buffer = [0; MAX_REQUEST];
    loop {
        let length = link::receive(&mut link, &mut buffer);
        link::send(&mut link, buffer.get(..length).unwrap_or_default());
    }
}
