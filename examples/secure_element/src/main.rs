//! A lock whose own keys are in a secure element: `cargo run -p sharekey-secure-element`.
//!
//! # For firmware engineers
//!
//! The traits in `sharekey::crypto` take `&self`, and `Sign::Key` is the provider's own type, so a device
//! can stand behind them. But a lock derives its keys from a seed, and hands seed and keys to its provider
//! as 32 bytes. The way through: **the 32 bytes need not be the key.** The library passes them on, stores
//! them and compares them; it computes with them nowhere but in its provider. So the element keeps the
//! key, and what it gives out is a name of the same length (`element.rs`):
//!
//! | the lock asks its provider for | the element keeps | the host gets, and may store |
//! |---|---|---|
//! | HKDF with `sharekey v1 seed` | the new seed, over power cuts | the seed's name |
//! | HKDF of that with `… lock key`, `… record mac`, `… nonce`, `… agreement` | the derived key | the key's name |
//! | HKDF with `… agreement secret`, the last of them as the salt | the agreement key | the X25519 secret of one install |
//! | `signing_key(name)`, `public_key`, `sign` | the Ed25519 key | the lock's id; signatures |
//! | `hmac_sha256(name, …)` | the key for records or nonces | the MAC |
//!
//! Inside, everything is derived as the spec says ("Keys of a lock"), so the lock is like any other to
//! owner, guest and service. A copy of its flash is worth nothing without its element: it holds a name,
//! and the records do not load beside another element.
//!
//! What it takes of an element: Ed25519 over messages of a few hundred bytes (not a prehash), HKDF and
//! HMAC with SHA-256 over keys inside, and room for two seeds. Two, because a factory reset makes the next
//! one while the present still counts until the write is through; overwrite the one whose signing key was
//! not loaded last. An element without HKDF can keep four independent keys instead; then what the lock
//! derives is not what the spec's table says, which nobody outside can tell, but this library's vectors can.
//!
//! # What the API does not give
//!
//! - **Pairing keys are not in the element.** The X25519 secret of a download and the pairing key pass
//!   through memory, and the pairing key lies in its slot's record. The same trick would hide the pairing
//!   key (label `sharekey v1 pairing`; `SLOTS` keys kept over power cuts, and nobody tells the element when
//!   one is overwritten, so it has to count), but `Agree` takes its secret as an argument: it is drawn on
//!   the host. Who reads the flash can open with the keys that are installed now. He cannot sign as the
//!   lock, so no receipt, no `Done`; and no record of his loads.
//! - **The card's secret** is in the host's memory. It is an HMAC key like the others, and could be a name.
//! - **Only signing and deriving can fail.** A MAC, a hash and an agreement give bytes, always. A driver
//!   tries again, and restarts the microcontroller where that does not help; it must not make bytes up. Power
//!   loss is what the lock is built for; its records are as before or as after.
//! - **Calls block.** An element that takes 100 ms to sign holds the lock's loop for so long.
//! - **An element on a bus signs for whoever has the bus.** Opening the case stays out of scope.
//! - Verifying, hashing and X25519 stay on the host here. They need no key of the lock's.

#![allow(clippy::print_stdout, reason = "a program, not the library")]

use sharekey_secure_element::board::Board;
use sharekey_secure_element::story;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut board = Board::new();
    let mut door = board.boot()?;
    println!("made:      lock {}", door.lock().id().key());
    let key = story::download(&mut door)?;
    println!("download:  the receipt is the element's signature");
    story::open(&mut door, &key)?;
    println!("open:      offline");
    story::open(&mut board.boot()?, &key)?;
    println!("power cut: booted from names, and opens again");
    let mut other = Board { flash: board.flash, ..Board::new() };
    let error = other.boot().err().ok_or("another element must not do")?;
    println!("copied:    the same flash beside another element: {error}");
    Ok(())
}
