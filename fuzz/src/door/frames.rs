//! Frames: requests that the lock accepts, mostly, and what is like them.

use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{Agree as _, Nonce};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::message::{
    Challenge, Claim, Command, Connect, FactoryReset, Grant as Granted, Install, Provision, Release, Unlock,
};
use sharekey::wire::{Kind, Unverified};
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::forge::{Forge, bundle};
use sharekey_stage::ops::{Order, With};
use sharekey_stage::seed;
use sharekey_stage::stand::{CARD, DEVICE, NOON, OWNER, SERVICE, SUBJECT, agreement};

use super::TestLock;
use crate::choices::Choices;

const FORGE: Forge<Symbolic> = Forge::new();

/// What is asked for, as often as it stands here.
pub const KINDS: [Kind; 9] = [
    Kind::Provision,
    Kind::Command,
    Kind::Command,
    Kind::Command,
    Kind::Bundle,
    Kind::Bundle,
    Kind::Unlock,
    Kind::Unlock,
    Kind::FactoryReset,
];

/// Which grant a key came by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Grant {
    pub lock: LockId,
    pub epoch: Epoch,
    pub slot: SlotId,
    pub generation: Generation,
}

impl Grant {
    /// How often it opens, by its number, so that two grants of one number allow the same.
    pub const fn uses(&self) -> Option<u32> {
        match self.generation.value() % 3 {
            0 => None,
            uses => Some(uses),
        }
    }
}

/// What is known to those who send.
#[derive(Default)]
pub struct Frames {
    /// The newest challenge for a download, and for anything else.
    nonces: [Option<Nonce>; 2],
    /// Keys that were downloaded: their slots and pairing keys.
    keys: Vec<(SlotId, [u8; 32])>,
    sent: Vec<Vec<u8>>,
}

impl Frames {
    /// An answer of the lock's, and the frame that it answers.
    pub fn hear(&mut self, frame: &[u8], answer: &[u8]) {
        if let Ok(challenge) = Unverified::<Challenge>::parse(answer) {
            self.nonces[usize::from(frame != Connect::INSTALL)] = Some(challenge.claims().nonce);
        }
        if Kind::of(answer) == Ok(Kind::Receipt) {
            self.keys.push(FORGE.pairing(answer, &agreement()));
        }
    }

    /// What was sent before, or anything.
    pub fn old(&self, choices: &mut Choices<'_>) -> Vec<u8> {
        if self.sent.is_empty() || choices.any() { choices.any() } else { choices.pick(&self.sent) }
    }

    /// A request of this kind that the lock may accept; now and then with something wrong in it.
    pub fn request(&mut self, kind: Kind, lock: &TestLock, choices: &mut Choices<'_>) -> Vec<u8> {
        let nonce = self.nonces[usize::from(kind != Kind::Bundle)].unwrap_or(Nonce::from_bytes([0; 16]));
        let mut frame = match kind {
            Kind::Provision => provision(nonce),
            Kind::Command => command(nonce, lock, choices),
            Kind::Bundle => download(nonce, lock, choices),
            Kind::Unlock => self.unlock(nonce, choices),
            _ => FORGE.tagged(&FactoryReset { lock: lock.id(), nonce }, &CARD),
        };
        if choices.one_in(8) {
            let at = choices.below(frame.len());
            if choices.any() { frame.truncate(at) } else { frame[at] ^= choices.any::<u8>() }
        }
        self.sent.push(frame.clone());
        frame
    }

    fn unlock(&self, lock_nonce: Nonce, choices: &mut Choices<'_>) -> Vec<u8> {
        let newest: Vec<_> = self.keys.iter().rev().take(3).copied().collect();
        let (slot, pairing) = if newest.is_empty() { (SlotId::new(0), [0; 32]) } else { choices.pick(&newest) };
        let unlock = Unlock { slot, action: action(choices), lock_nonce, guest_nonce: Nonce::from_bytes([9; 16]) };
        FORGE.tagged(&unlock, &pairing)
    }
}

/// A factory reset by whoever has the card.
pub fn is_reset(frame: &[u8]) -> bool {
    let body = frame.split_last_chunk::<16>().map_or(&[][..], |(body, _)| body);
    Kind::of(frame) == Ok(Kind::FactoryReset) && FORGE.tag(body.to_vec(), &CARD) == frame
}

fn action(choices: &mut Choices<'_>) -> Action {
    choices.pick(&[Action::Open, Action::Open, Action::Lock])
}

fn epoch(lock: &TestLock) -> Epoch {
    lock.ownership().map_or(Epoch::FIRST, |owned| owned.epoch)
}

/// A slot, the first mostly, and its floor or a number above it.
fn place(lock: &TestLock, choices: &mut Choices<'_>) -> (SlotId, Generation) {
    let slot = SlotId::new(choices.pick(&[0, 0, 0, 1, 2, 3]));
    let floor = lock.report(slot).map_or(Generation::ZERO, |report| report.floor);
    (slot, Generation::new(floor.value() + u32::from(choices.pick(&[1_u8, 1, 1, 2, 0]))))
}

fn provision(lock_nonce: Nonce) -> Vec<u8> {
    let (owner, service) = (FORGE.public(&seed(OWNER)), FORGE.public(&seed(SERVICE)));
    FORGE.tagged(&Provision { lock_nonce, owner_nonce: Nonce::from_bytes([8; 16]), owner, service }, &CARD)
}

fn command(lock_nonce: Nonce, lock: &TestLock, choices: &mut Choices<'_>) -> Vec<u8> {
    let (slot, generation) = place(lock, choices);
    let operation = choices.pick(&Order::weighted()).with(&With {
        slot,
        generation,
        owner: FORGE.public(&seed(OWNER)),
        service: FORGE.public(&seed(SERVICE)),
        time: Timestamp::from_unix_seconds(NOON + u64::from(choices.any::<u8>())),
        action: action(choices),
    });
    let owner_nonce = Nonce::from_bytes([7; 16]);
    let (lock, epoch, by) = (lock.id(), epoch(lock), Term::OWNER);
    FORGE.signed(&Command { lock, epoch, by, lock_nonce, owner_nonce, operation }, &seed(OWNER))
}

fn download(nonce: Nonce, lock: &TestLock, choices: &mut Choices<'_>) -> Vec<u8> {
    let (slot, generation) = place(lock, choices);
    let (lock, epoch) = (lock.id(), epoch(lock));
    let limits = Limits::new(None, None, None, Grant { lock, epoch, slot, generation }.uses()).unwrap();
    let (subject, rights) = (FORGE.public(&seed(SUBJECT)), Rights::OPEN_AND_LOCK);
    let by = Term::OWNER;
    let grant = FORGE.signed(&Granted { lock, epoch, by, slot, generation, subject, rights, limits }, &seed(OWNER));
    let claim = Claim { grant: FORGE.digest(&grant), device: FORGE.public(&seed(DEVICE)) };
    let claim = FORGE.signed(&claim, &seed(SUBJECT));
    let agreement = Symbolic.agreement_key(&agreement());
    let install = FORGE.signed(&Install { claim: FORGE.digest(&claim), nonce, agreement }, &seed(DEVICE));
    let release = FORGE.signed(&Release { install: FORGE.digest(&install) }, &seed(SERVICE));
    bundle(&[&grant, &claim, &install, &release])
}
