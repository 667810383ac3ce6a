//! Plays the story against the firmware in QEMU, cuts its power, and prints its figures.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::path::PathBuf;

use lexopt::prelude::*;
use sharekey_firmware_host::cuts::{self, Plan};
use sharekey_firmware_host::figures::{self, Images};
use sharekey_firmware_host::{Board, Firmware, Outcome, story};

const USAGE: &str = "\
Usage: sharekey-firmware-host [--netduino] [--short] [--cuts N] [--seed N] [--firmware PATH]
       sharekey-firmware-host --figures DIRECTORY
       sharekey-firmware-host --gates DIRECTORY

Plays the story, then cuts the power 200 times (--short: 12 times); on the second board with --netduino.
Build the firmware first, in examples/firmware: cargo build --release, or cargo netduino.";

fn main() -> Outcome<()> {
    let mut plan = Plan { cuts: 200, seed: rand_core::Rng::next_u64(&mut rand_core::UnwrapErr(getrandom::SysRng)) };
    let mut image: Option<PathBuf> = None;
    let mut board = Board::MPS2;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("netduino") => board = Board::NETDUINO,
            Long("short") => plan.cuts = 12,
            Long("cuts") => plan.cuts = arguments.value()?.parse()?,
            Long("seed") => plan.seed = arguments.value()?.parse()?,
            Long("firmware") => image = Some(arguments.value()?.into()),
            Long(which @ ("figures" | "gates")) => {
                let all = which == "figures";
                return figures::print(Images(&PathBuf::from(arguments.value()?)), all);
            }
            Long("help") => {
                println!("{USAGE}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let firmware = image.map_or_else(|| Firmware::built(board), |image| Firmware::at(image, board))?;
    story::play(firmware.clone())?;
    println!("Now the power is cut {} times, by seed {}.", plan.cuts, plan.seed);
    println!("{}", cuts::run(firmware, plan)?);
    Ok(())
}
