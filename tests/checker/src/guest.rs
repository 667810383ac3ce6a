//! The guests' devices. What a device keeps follows from what it sent and got, for its entropy depends only
//! on whom it answers: so it keeps everything, forever, and its state is the network's.

use rand_chacha::ChaCha20Rng;
use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::Nonce;
use sharekey::crypto::Signer;
use sharekey::guest::{Claimed, Installing, Unstored};
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::limits::{Limits, Rights};
use sharekey::message::{
    Challenge, Claim, Command, Grant, Install, Release, Unlock, Withdraw, Withdrawn, WithdrawnOutcome,
};
use sharekey::secret::{Exposed, Seed};
use sharekey::wire::Unverified;
use sharekey_model::invariant::{Event, Order as Meant};
use sharekey_model::symbolic::Symbolic;

use sharekey_stage::forge::{bare, last_signature};
use sharekey_stage::nonce_of;

use super::cast::{ANA, CLOUD, FORGE, OLGA, account, entropy, key_of, seed};
use super::net::Msg;
use super::phone::granted;
use super::scenario::{Device, Order, operation};
use super::world::{Input, Step, World};

impl World {
    pub fn device(&self, device: u8) -> Device {
        self.scenario.devices[usize::from(device)]
    }

    /// What a device draws its key from: another for each claim. A rogue one has one key for all claims.
    pub fn device_entropy(&self, device: u8, grant: Msg) -> ChaCha20Rng {
        let Device { subject, number, rogue } = self.device(device);
        if rogue {
            rogue_entropy(subject, number)
        } else {
            entropy(&[b"device", &[subject, number], self.digest(grant).as_bytes()])
        }
    }

    fn claimed(&self, device: u8, grant: Msg) -> Option<Claimed> {
        let rng = &mut self.device_entropy(device, grant);
        account(self.device(device).subject)
            .claim(&Symbolic, self.msgs.bytes(grant), None, rng)
            .ok()
            .map(Unstored::stored)
    }

    fn installing(&self, device: u8, grant: Msg, challenge: &[u8]) -> Option<(Claimed, Installing)> {
        let Device { subject, number, .. } = self.device(device);
        let claimed = self.claimed(device, grant)?;
        let rng = &mut entropy(&[b"install", &[subject, number], challenge]);
        let installing = claimed.install(&Symbolic, challenge, rng).ok()?.stored();
        Some((claimed, installing))
    }

    /// A device claims a grant and asks the lock to install it.
    pub fn ask(&self, device: u8, grant: Msg, challenge: Msg) -> Option<Step> {
        let (_, installing) = self.installing(device, grant, self.msgs.bytes(challenge))?;
        let (claim, install) = (self.put(installing.claim()), self.put(installing.install()));
        let body = *Unverified::<Claim>::parse(installing.claim()).unwrap().claims();
        let event = Event::Claimed { grant: body.grant, device: body.device };
        Some(Step { out: vec![claim, install], events: self.happened(vec![event]), ..Step::default() })
    }

    /// The attempt that an install came from: whose, for which grant. Devices remember.
    pub fn attempt_of(&self, install: Msg) -> Option<(u8, Msg, Installing)> {
        let claim = self.msgs.info(install).parent?;
        let grant = self.msgs.info(claim).parent?;
        let nonce = Unverified::<Install>::parse(self.msgs.bytes(install)).unwrap().claims().nonce;
        let challenge = self.challenge_of(nonce);
        (0..u8::try_from(self.scenario.devices.len()).unwrap()).find_map(|device| {
            let (_, installing) = self.installing(device, grant, &challenge)?;
            (installing.install().as_bytes() == self.msgs.bytes(install)).then_some((device, grant, installing))
        })
    }

    /// The challenge with this nonce.
    pub fn challenge_of(&self, nonce: Nonce) -> Vec<u8> {
        bare(&Challenge { lock: self.cast.lock, nonce })
    }

    /// A device that has a key asks the lock to open: in the slot of its key, or in another, by hand.
    pub fn make_unlock(&self, receipt: Msg, release: Msg, challenge: Msg, slot: u8) -> Option<Step> {
        let install = self.msgs.info(receipt).parent?;
        let (_, _, installing) = self.attempt_of(install)?;
        let download = installing.bundle(&Symbolic, self.msgs.bytes(release)).ok()?;
        let key = download.finish(&Symbolic, self.msgs.bytes(receipt)).ok()?.stored();
        let challenge = self.msgs.bytes(challenge);
        let rng = &mut entropy(&[b"unlock", key.device().as_bytes(), challenge]);
        let (unlock, _) = key.unlock(&Symbolic, challenge, Action::Open, rng).ok()?;
        let bytes = if slot == key.slot().index() {
            unlock.to_vec()
        } else {
            let honest = *Unverified::<Unlock>::parse(&unlock).unwrap().claims();
            FORGE.tagged(&Unlock { slot: SlotId::new(slot), ..honest }, &pairing_of(&key))
        };
        let message = self.put(&bytes);
        self.msgs.set_maker(message, (key.device(), key.generation()));
        Some(Step { out: vec![message], ..Step::default() })
    }

    /// What the attacker signs with the keys that it holds.
    pub fn forge(&self, input: Input) -> Option<Step> {
        match input {
            Input::ForgeRelease(install) => {
                let body = Release { install: self.digest(install) };
                self.made(&FORGE.signed(&body, &seed(CLOUD)), Vec::new())
            }
            Input::ForgeWithdrawn { withdraw, outcome } => self.forge_withdrawn(withdraw, outcome),
            Input::ForgeInstall { device, claim, challenge } => self.forge_install(device, claim, challenge),
            Input::ForgeCommand { order, epoch, challenge } => self.forge_command(order, epoch, challenge),
            Input::ForgeGrant { epoch } => self.forge_grant(epoch),
            other => panic!("{other:?} is not the attacker's"),
        }
    }

    fn made(&self, message: &[u8], events: Vec<Event>) -> Option<Step> {
        Some(Step { out: vec![self.put(message)], events: self.happened(events), ..Step::default() })
    }

    /// Only of a withdrawal that an owner signed: it carries the owner's signature.
    fn forge_withdrawn(&self, withdraw: Msg, outcome: u8) -> Option<Step> {
        let asked = self.msgs.bytes(withdraw);
        let (withdraw, withdraw_signature) =
            (*Unverified::<Withdraw>::parse(asked).ok()?.claims(), last_signature(asked));
        let outcome = match outcome {
            0 => WithdrawnOutcome::NeverReleased,
            1 => WithdrawnOutcome::Released { install: withdraw.grant },
            _ => WithdrawnOutcome::Settled,
        };
        self.made(&FORGE.signed(&Withdrawn { withdraw, withdraw_signature, outcome }, &seed(CLOUD)), Vec::new())
    }

    /// An install for another's claim, signed by the attacker's own device.
    fn forge_install(&self, device: u8, claim: Msg, challenge: Msg) -> Option<Step> {
        let Device { subject, number, .. } = self.device(device);
        let seed = Seed::random(&mut rogue_entropy(subject, number));
        let own = Signer::<Symbolic>::from_seed(&Symbolic, &seed).ok()?;
        let nonce = nonce_of(self.msgs.bytes(challenge));
        let named = Unverified::<Claim>::parse(self.msgs.bytes(claim)).ok()?.claims().device;
        if named == *own.public() {
            return None;
        }
        let agreement = sharekey::crypto::AgreementKey::from_bytes([9; 32]);
        let body = Install { claim: self.digest(claim), nonce, agreement };
        self.made(&FORGE.signed(&body, &seed), Vec::new())
    }

    /// A command by the former owner, for whichever ownership.
    fn forge_command(&self, order: Order, epoch: u8, challenge: Msg) -> Option<Step> {
        let lock_nonce = nonce_of(self.msgs.bytes(challenge));
        let operation = operation(order, SlotId::new(0), Generation::new(9), key_of(OLGA));
        let (lock, epoch) = (self.cast.lock, Epoch::new(u32::from(epoch)));
        let body =
            Command { lock, epoch, by: Term::OWNER, lock_nonce, owner_nonce: Nonce::from_bytes([5; 16]), operation };
        let message = FORGE.signed(&body, &seed(OLGA));
        let command = super::net::digest(&message);
        let ordered = Event::Ordered { command, owner: key_of(OLGA), lock, epoch };
        self.made(&message, vec![ordered, Event::Meant { command, order: Meant::of(&operation) }])
    }

    /// A grant by the former owner, for an ownership that may not be its.
    fn forge_grant(&self, epoch: u8) -> Option<Step> {
        let body = Grant {
            by: Term::OWNER,
            lock: self.cast.lock,
            epoch: Epoch::new(u32::from(epoch)),
            slot: SlotId::new(0),
            generation: Generation::new(8),
            subject: key_of(ANA),
            rights: Rights::OPEN,
            limits: Limits::NONE,
        };
        let message = FORGE.signed(&body, &seed(OLGA));
        let event = granted(&message, key_of(OLGA));
        self.made(&message, vec![event])
    }
}

/// What a rogue device draws its one key from.
fn rogue_entropy(subject: u8, number: u8) -> ChaCha20Rng {
    entropy(&[b"rogue", &[subject, number]])
}

/// The pairing key in a guest's stored key: its last 32 bytes.
fn pairing_of(key: &sharekey::guest::GuestKey) -> Vec<u8> {
    let stored = postcard::to_allocvec(&Exposed(key)).unwrap();
    stored[stored.len() - 32..].to_vec()
}
