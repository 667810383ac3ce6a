//! The bytes in the place where a value stands, whatever it is by now.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;

use zeroize::Zeroizing;

/// The bytes in the place of a value, padding and what stood there before included: read through the
/// operating system, for to the language they may be nothing.
#[must_use]
pub fn storage<T>(value: &T) -> Zeroizing<Vec<u8>> {
    Place::of(value).bytes()
}

/// Where a value stands, to look there while it is borrowed.
pub struct Place {
    address: usize,
    size: usize,
}

impl Place {
    #[must_use]
    pub fn of<T>(value: &T) -> Self {
        Self { address: black_box(std::ptr::from_ref(value)).expose_provenance(), size: size_of::<T>() }
    }

    /// What stands there now. Wiped, or it would be on the heap where the next test's lock is put.
    #[must_use]
    pub fn bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; self.size]);
        let memory = File::open("/proc/self/mem").expect("a process reads its own memory");
        let address = u64::try_from(self.address).expect("an address has 64 bits at most");
        memory.read_exact_at(&mut bytes, address).expect("a value stands there");
        bytes
    }

    /// How often a secret stands there.
    #[must_use]
    pub fn count(&self, secret: &[u8]) -> usize {
        self.bytes().windows(secret.len()).filter(|bytes| *bytes == secret).count()
    }
}

/// Whether eight bytes of a secret in a row stand there.
#[must_use]
pub fn holds(storage: &[u8], secret: &[u8]) -> bool {
    holds_run(storage, secret, 8)
}

/// Whether so many bytes of a secret in a row stand there.
#[must_use]
pub fn holds_run(storage: &[u8], secret: &[u8], length: usize) -> bool {
    assert!(secret.len() >= length);
    secret.windows(length).any(|run| storage.windows(length).any(|bytes| bytes == run))
}
