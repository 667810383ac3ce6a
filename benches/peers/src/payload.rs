//! What every token says: this guest's key may enter this slot of this lock, in this time.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// A grant's content. The clock that the peers read is the real one, so the window lies around now.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Payload {
    pub lock: [u8; 32],
    pub slot: u8,
    pub generation: u32,
    pub guest: [u8; 32],
    pub from: u64,
    pub until: u64,
    pub rights: u8,
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// The key pair that a byte stands for.
pub fn key_pair(byte: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[byte; 32]).expect("any seed is good")
}

pub fn public(byte: u8) -> [u8; 32] {
    key_pair(byte).public_key().as_ref().try_into().expect("32 bytes")
}

/// A private key in the one form that some libraries take (RFC 8410).
pub fn pkcs8(seed: [u8; 32]) -> Vec<u8> {
    let prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    [&prefix[..], &seed].concat()
}

/// The owner, who signs.
pub const OWNER: u8 = 1;

impl Payload {
    /// As many, each for another guest, of one lock.
    pub fn several(count: usize) -> Vec<Self> {
        let day = now() / 86_400 * 86_400;
        (0..count)
            .map(|number| Self {
                lock: public(2),
                slot: 3,
                generation: 70_000 + u32::try_from(number).expect("few"),
                guest: public(u8::try_from(number).expect("at most 256")),
                from: day - 86_400,
                until: day + 14 * 86_400,
                rights: 3,
            })
            .collect()
    }

    pub fn valid_now(&self) -> bool {
        (self.from..self.until).contains(&now())
    }
}
