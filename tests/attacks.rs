//! What an attacker tries who owns every channel: replay, relabel, redirect, hoard, collude, cut the
//! power. Each test names the check that stops it, and that nothing changed.
#![cfg(feature = "alloc")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

mod provider;

#[path = "common/forge.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
mod forge;
#[path = "common/store.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
mod store;
#[path = "common/world/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
mod world;

#[path = "attacks/cross.rs"]
mod cross;
#[path = "attacks/door.rs"]
mod door;
#[path = "attacks/generations.rs"]
mod generations;
#[path = "attacks/labels.rs"]
mod labels;
#[path = "attacks/records.rs"]
mod records;
#[path = "attacks/releases.rs"]
mod releases;
#[path = "attacks/replay.rs"]
mod replay;
#[path = "attacks/replay_answers.rs"]
mod replay_answers;
#[path = "attacks/service.rs"]
mod service;
#[path = "attacks/writes.rs"]
mod writes;

use std::fmt::Debug;

use sharekey::error::{LockError, SignatureError};
use sharekey::lock::purpose;
use world::door::Door;
use world::{Stop, World};

const MISMATCH: SignatureError = SignatureError::Mismatch;

impl World {
    /// The attempt is refused for exactly this reason, and nothing that lasts changes.
    #[track_caller]
    fn refuses<T: Debug, E: Into<Stop>>(
        &mut self,
        because: impl Into<Stop>,
        attempt: impl FnOnce(&mut Self) -> Result<T, E>,
    ) {
        let before = self.snapshot();
        assert_eq!(attempt(self).map_err(Into::into).expect_err("accepted"), because.into());
        assert_eq!(self.snapshot(), before);
    }

    /// As [`refuses`](Self::refuses), by the lock.
    #[track_caller]
    fn lock_refuses<T: Debug>(&mut self, because: LockError, attempt: impl FnOnce(&mut Self) -> Result<T, Stop>) {
        self.refuses(because, attempt);
    }
}

/// The attacker connects and sends what it has.
impl Door {
    fn sent_bundle(&mut self, bundle: &[u8]) -> Result<Vec<u8>, Stop> {
        let (_, session) = self.connect::<purpose::Install>();
        self.install(session, bundle)
    }

    fn sent_unlock(&mut self, unlock: &[u8]) -> Result<Vec<u8>, Stop> {
        let (_, session) = self.connect::<purpose::Operate>();
        self.unlock(session, unlock)
    }

    fn sent_command(&mut self, command: &[u8]) -> Result<Vec<u8>, Stop> {
        let (_, session) = self.connect::<purpose::Operate>();
        self.command(session, command)
    }

    fn sent_provision(&mut self, provision: &[u8]) -> Result<Vec<u8>, Stop> {
        let (_, session) = self.connect::<purpose::Operate>();
        self.provision(session, provision)
    }

    fn sent_reset(&mut self, reset: &[u8]) -> Result<(), Stop> {
        let (_, session) = self.connect::<purpose::Operate>();
        self.factory_reset(session, reset)
    }
}
