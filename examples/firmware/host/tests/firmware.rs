//! The firmware as it was built (`cargo build --release` in `examples/firmware`), in QEMU.
#![allow(clippy::panic, clippy::print_stdout, reason = "tests, which say what they drew")]

use sharekey_firmware_host::cuts::{self, Plan};
use sharekey_firmware_host::image::{Image, Place};
use sharekey_firmware_host::{Firmware, Outcome, damage, garbage, story};

fn random_seed() -> u64 {
    rand_core::Rng::next_u64(&mut rand_core::UnwrapErr(getrandom::SysRng))
}

#[test]
fn the_whole_story_plays_against_the_firmware() -> Outcome<()> {
    story::play(Firmware::built()?)
}

#[test]
fn fifteen_cuts_of_the_power_leave_the_state_before_or_the_one_after() -> Outcome<()> {
    let plan = Plan { cuts: 15, seed: random_seed() };
    println!("seed {}", plan.seed);
    let tally = cuts::run(Firmware::built()?, plan)?;
    println!("{tally}");
    Ok(())
}

#[test]
fn garbage_on_the_line_is_dropped_and_the_next_request_is_answered() -> Outcome<()> {
    garbage::on_the_line(Firmware::built()?)
}

#[test]
fn a_decayed_record_is_damaged_and_no_older_copy_comes_back() -> Outcome<()> {
    damage::of_a_slot(Firmware::built()?)
}

#[test]
fn a_lock_whose_seed_has_decayed_is_not_made_anew() -> Outcome<()> {
    damage::of_the_seed(Firmware::built()?)
}

#[test]
fn the_library_and_the_firmware_leave_no_panic_in_the_image() -> Outcome<()> {
    let places = Image::read(Firmware::built()?.image())?.panics()?;
    // The control: dependencies do have some, and they are found.
    assert!(places.iter().any(|place| place.file.starts_with("sequential-storage-")), "{places:?}");
    let ours: Vec<&Place> = places.iter().filter(|place| place.is_ours()).collect();
    assert!(ours.is_empty(), "{ours:?}");
    Ok(())
}
