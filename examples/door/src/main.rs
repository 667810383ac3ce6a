//! `door`: play every role of sharekey from a terminal. See `examples/door/README.md`.
//!
//! Each role keeps its state in its own folder under the home, and each call is its own process: what
//! one step knows of the step before came from storage or in a message.
#![allow(clippy::arithmetic_side_effects, clippy::print_stdout, reason = "a program for the terminal, not the library")]

mod args;
mod cli;
mod entropy;
mod files;
mod guest;
mod home;
mod json;
mod lock;
mod moment;
mod owner;
mod refusal;
mod schedule;
mod service;
mod show;
mod wire;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Role};
use home::{Home, Network};
use refusal::{PowerCut, Refusal};

/// Exit codes: 0 done, 1 refused or failed, 2 wrong usage (from clap), 3 the lock's power was cut.
const FAILED: u8 = 1;
const POWER_CUT: u8 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(if error.is::<PowerCut>() { POWER_CUT } else { FAILED })
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let home = Home::open(&cli.home, cli.entropy, cli.at, Network { offline: cli.offline, service: cli.service })?;
    match cli.role {
        Role::Lock { command } => lock::run(&home, command),
        Role::Owner { command, by } => owner::run(&home, by, command),
        Role::Guest { name, command } => guest::run(&home, &name, command),
        Role::Wire { command } => wire::run(&home, command),
    }
}

fn report(error: &anyhow::Error) {
    match error.downcast_ref::<Refusal>() {
        Some(refusal) => eprintln!("{refusal}"),
        None => eprintln!("error: {error:#}"),
    }
}
