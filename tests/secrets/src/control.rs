//! Positive controls: code that leaks. A check that does not notice them is worth nothing.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So that what is done in a branch has to be done, and in a branch.
static DONE: AtomicUsize = AtomicUsize::new(0);

/// Does something or not, by the lowest bit of a secret.
#[inline(never)]
pub fn branch_on(secret: &[u8]) {
    if secret.first().is_some_and(|byte| byte & 1 == 1) {
        DONE.fetch_add(1, Ordering::Relaxed);
    }
}

/// A comparison that ends at the first difference.
#[inline(never)]
#[must_use]
pub fn early_exit(a: &[u8], b: &[u8]) -> bool {
    black_box(a).iter().zip(black_box(b)).all(|(a, b)| {
        DONE.fetch_add(1, Ordering::Relaxed);
        a == b
    })
}

/// Reads symbols by a table: the address tells the symbol.
#[inline(never)]
#[must_use]
pub fn table_lookup(text: &[u8]) -> u8 {
    static TABLE: [u8; 256] = {
        let (alphabet, mut table, mut at) = (*b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", [0xff; 256], 0);
        while at < alphabet.len() {
            table[alphabet[at] as usize] = at as u8;
            at += 1;
        }
        table
    };
    black_box(text).iter().fold(0, |sum, byte| sum ^ black_box(&TABLE)[usize::from(*byte)])
}

/// Finds symbols by trying one after the other.
#[inline(never)]
#[must_use]
pub fn search(text: &[u8]) -> usize {
    let alphabet = black_box(*b"0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    black_box(text).iter().filter_map(|byte| alphabet.iter().position(|symbol| symbol == byte)).sum()
}
