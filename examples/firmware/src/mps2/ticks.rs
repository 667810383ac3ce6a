//! SysTick: a millisecond at a time.

use core::cell::Cell;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;
use critical_section::Mutex;

/// The core's clock.
const HERTZ: u32 = 25_000_000;

static TICKS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

pub(super) fn start(mut timer: SYST) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(HERTZ / 1000 - 1);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}

/// Milliseconds since [`start`].
pub(super) fn now() -> u64 {
    critical_section::with(|section| TICKS.borrow(section).get())
}

/// Waits for so many counts of the core's clock, fewer than a millisecond has.
pub(super) fn wait_counts(counts: u32) {
    let period = HERTZ / 1000;
    let begin = SYST::get_current();
    // It counts down, and begins again at the millisecond.
    while begin.wrapping_add(period).wrapping_sub(SYST::get_current()) % period < counts {}
}

#[exception]
fn SysTick() {
    critical_section::with(|section| {
        let ticks = TICKS.borrow(section);
        ticks.set(ticks.get().saturating_add(1));
    });
}
