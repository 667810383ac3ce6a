//! The lock, on the first board.
#![no_std]
#![no_main]

#[cortex_m_rt::entry]
fn main() -> ! {
    sharekey_firmware::emulated::run::<sharekey_firmware::Here>()
}
