//! What flash is taken for, by the names of the image's symbols.
//!
//! What the compiler inlined counts for what it was inlined into, so this says where bytes stand, not whose they are.

use std::collections::BTreeMap;

use super::Outcome;
use super::image::Image;

/// A cause, and what the names of its symbols contain. The first that fits.
const CAUSES: [(&str, &[&str]); 10] = [
    (
        "dalek and its callers",
        &[
            "curve25519_dalek",
            "ed25519_dalek",
            "x25519_dalek",
            "crypto::Verify",
            "crypto::Sign",
            "crypto::equation",
            "subtle::",
        ],
    ),
    ("sequential-storage, its glue, block_on", &["sequential_storage", "firmware::store", "block_on", "PollFn"]),
    (
        "SHA-2, HMAC, HKDF",
        &[
            "sha2::",
            "hmac::",
            "hkdf::",
            "digest::digest",
            "digest::block",
            "digest::Fixed",
            "block_buffer",
            "crypto::Mac",
            "crypto::Kdf",
            "crypto::Hash",
        ],
    ),
    ("serde and postcard", &["serde", "postcard"]),
    (
        "the lock's operations",
        &[
            "lock::step",
            "lock::door",
            "lock::install",
            "lock::command",
            "lock::unlock",
            "lock::challenge",
            "lock::provision",
            "lock::reset",
            "lock::refusal",
        ],
    ),
    ("staged, state, records, making, keys", &["sharekey::lock::"]),
    ("codec, sealing, checks", &["sharekey::"]),
    ("firmware", &["sharekey_firmware", "cortex_m"]),
    ("core::fmt", &["core::fmt", "fmt::"]),
    ("compiler-builtins", &["compiler_builtins", "__aeabi", "divmod", "memcpy", "memset", "memcmp", "memmove"]),
];
const OTHER: &str = "other";
const RODATA: &str = "rodata";

/// Bytes of flash of an image, by cause. All of it is in one of them.
///
/// # Errors
/// Where it is no ELF file of 32 bits.
pub fn of(image: &Image) -> Outcome<BTreeMap<&'static str, u64>> {
    let sizes = image.sizes()?;
    let mut causes = BTreeMap::from([(RODATA, sizes.rodata + sizes.data)]);
    let mut named = 0;
    for (name, size) in image.functions()? {
        *causes.entry(cause(&name)).or_default() += size;
        named += size;
    }
    *causes.entry(OTHER).or_default() += sizes.text.saturating_sub(named);
    Ok(causes)
}

/// The order that they are printed in.
pub fn all() -> impl Iterator<Item = &'static str> {
    CAUSES.into_iter().map(|(cause, _)| cause).chain([OTHER, RODATA])
}

fn cause(name: &str) -> &'static str {
    let fits = |(_, marks): &&(&str, &[&str])| marks.iter().any(|mark| name.contains(mark));
    CAUSES.iter().find(fits).map_or(OTHER, |(cause, _)| cause)
}
