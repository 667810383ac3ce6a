//! The corpora as files, for libFuzzer, and back.
//!
//! ```text
//! corpus list                   the targets
//! corpus unpack DIR TARGET...   what was found to DIR/TARGET/found, seeds to DIR/TARGET/seeds
//! corpus pack TARGET DIR        makes the target's archive of the files in a folder
//! corpus replay TARGET FILE...  runs the target on files, as on one that a search left in artifacts
//! ```
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::fs;
use std::path::Path;

use sharekey_fuzz::corpus::{pack, unpack};
use sharekey_fuzz::targets::{NAMES, body};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["list"] => NAMES.iter().for_each(|name| println!("{name}")),
        ["unpack", folder, ref targets @ ..] => {
            for target in targets {
                unpack(known(target)?, &Path::new(folder).join(target))?;
            }
        }
        ["pack", target, folder] => println!("{target}: {}", pack(known(target)?, Path::new(folder))?),
        ["replay", target, ref files @ ..] => {
            let body = body(known(target)?).ok_or("not built: it needs `--features rustcrypto`")?;
            for file in files {
                body(&fs::read(file)?);
                println!("{file}: passed");
            }
        }
        _ => return Err("corpus list | unpack DIR TARGET... | pack TARGET DIR | replay TARGET FILE...".into()),
    }
    Ok(())
}

fn known(target: &str) -> Result<&str, String> {
    if NAMES.contains(&target) { Ok(target) } else { Err(format!("there is no target {target}")) }
}
