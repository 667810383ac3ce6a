//! A lock whose work is counted, with a key in slot 0.

use sharekey::crypto::Nonce;
use sharekey::error::LockError;
use sharekey::limits::{Limits, Rights};
use sharekey::lock::Refusal;

use crate::counting::{Counting, Work};
use sharekey_stage::firmware;
use sharekey_stage::ops::To;
use sharekey_stage::stand::{Key, Stand};

pub struct Door {
    pub stand: Stand<Counting>,
    pub counting: Counting,
    pub key: Key,
}

impl Door {
    pub fn new() -> Self {
        let counting = Counting::default();
        let (stand, key) = Stand::made_by(counting.clone(), 1).with_key(Rights::OPEN, Limits::NONE);
        Self { stand, counting, key }
    }

    /// The honest guest opens, at the first attempt.
    pub fn open(&mut self) -> Result<(), Refusal> {
        self.stand.open(&self.key).map(drop)
    }

    /// An honest guest downloads and opens, each at the first attempt.
    pub fn goes_on(&mut self) {
        self.key = self.stand.download(0, 3, |_| ()).unwrap();
        self.open().unwrap();
    }

    /// Sends what `message` makes of a fresh challenge's nonce; gives why it was refused, and the work of the
    /// refusal. That it was refused, and that flash holds what it held, is checked here.
    pub fn attack(
        &mut self,
        to: To,
        message: impl FnOnce(&Stand<Counting>, Nonce) -> Vec<u8>,
    ) -> (LockError, Work, usize) {
        let Self { stand, counting, .. } = self;
        let (nonce, session) = stand.connect(to.purpose());
        let message = message(stand, nonce);
        let (before, now) = (stand.snapshot(), stand.now());
        let Stand { lock, rng, .. } = stand;
        let (refusal, work) =
            counting.of(|| firmware::send(lock, (session, to), &message, now, rng, &mut firmware::Forget).unwrap_err());
        assert_eq!(before, stand.snapshot());
        (refusal.error(), work, message.len())
    }
}
