//! libFuzzer around the target that `SHAREKEY_TARGET` names: one binary, because all that it would be built of a second
//! time is the same.
#![no_main]

use std::sync::LazyLock;

use sharekey_fuzz::targets::{Body, NAMES, body};

static BODY: LazyLock<Body> = LazyLock::new(|| {
    let name = std::env::var("SHAREKEY_TARGET").unwrap_or_default();
    body(&name).unwrap_or_else(|| {
        eprintln!("SHAREKEY_TARGET={name}: there is no such target, but {}", NAMES.join(", "));
        std::process::exit(2)
    })
});

libfuzzer_sys::fuzz_target!(init: LazyLock::force(&BODY), |data: &[u8]| (*BODY)(data));
