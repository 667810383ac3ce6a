//! The lock, on the second board.
#![no_std]
#![no_main]

#[cortex_m_rt::entry]
fn main() -> ! {
    sharekey_firmware::emulated::run::<sharekey_firmware::Here>()
}
