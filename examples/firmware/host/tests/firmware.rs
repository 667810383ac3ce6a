//! The firmware as it was built (`cargo build --release` and `cargo netduino` in `examples/firmware`), in QEMU.
#![allow(clippy::panic, clippy::print_stdout, reason = "tests, which say what they drew")]

use sharekey_firmware_host::cuts::{self, Plan};
use sharekey_firmware_host::image::{Image, Place};
use sharekey_firmware_host::{Board, Firmware, Outcome, damage, garbage, story, wrap};

fn on_both(what: impl Fn(Firmware) -> Outcome<()>) -> Outcome<()> {
    [Board::MPS2, Board::NETDUINO].into_iter().try_for_each(|board| {
        println!("{board:?}");
        what(Firmware::built(board)?)
    })
}

#[test]
fn the_whole_story_plays_against_the_firmware() -> Outcome<()> {
    on_both(story::play)
}

/// Ten on each board.
#[test]
fn twenty_cuts_of_the_power_leave_the_state_before_or_the_one_after() -> Outcome<()> {
    let seed = rand_core::Rng::next_u64(&mut rand_core::UnwrapErr(getrandom::SysRng));
    println!("seed {seed}");
    on_both(|firmware| cuts::run(firmware, Plan { cuts: 10, seed }).map(|tally| println!("{tally}")))
}

#[test]
fn garbage_on_the_line_is_dropped_and_the_next_request_is_answered() -> Outcome<()> {
    on_both(garbage::on_the_line)
}

#[test]
fn a_decayed_record_is_damaged_and_no_older_copy_comes_back() -> Outcome<()> {
    on_both(damage::of_a_slot)
}

#[test]
fn a_lock_whose_seed_has_decayed_is_not_made_anew() -> Outcome<()> {
    on_both(damage::of_the_seed)
}

#[test]
fn ticks_that_wrap_end_no_session() -> Outcome<()> {
    wrap::in_a_session(Firmware::built(Board::NETDUINO)?)
}

#[test]
fn the_library_and_the_firmware_leave_no_panic_in_the_image() -> Outcome<()> {
    on_both(|firmware| {
        let places = Image::read(firmware.image())?.panics()?;
        // The control: dependencies do have some, and they are found.
        assert!(places.iter().any(|place| place.file.starts_with("sequential-storage-")), "{places:?}");
        let ours: Vec<&Place> = places.iter().filter(|place| place.is_ours()).collect();
        assert!(ours.is_empty(), "{ours:?}");
        Ok(())
    })
}
