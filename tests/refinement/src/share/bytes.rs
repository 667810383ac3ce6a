//! Every message of one slot, by number.

use std::marker::PhantomData;

use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{AgreementKey, Digest, Nonce};
use sharekey::id::{LockId, SlotCount, SlotId};
use sharekey::limits::{Limits, Rights};
use sharekey::message::{
    Battery, Challenge, Claim, Completed, Done, Grant as Granted, Holding, Install as Installs, LockTime, Provisioned,
    Receipt, SlotReport, Withdraw, Withdrawn, WithdrawnOutcome,
};
use sharekey::secret::ActivationSecret;

use sharekey_stage::forge::last_signature;

use super::steps::{Grant, Install, LOCK, OWNER, Proof, SERVICES, SLOT, Spoil};
use crate::forge::{Forge, Provider};

const SLOTS: SlotCount = SlotCount::new(10).unwrap();
const CARD: [u8; 16] = [11; 16];

pub struct Paper<C>(PhantomData<C>);

impl<C: Provider> Paper<C> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    pub fn card(&self) -> ActivationSecret {
        ActivationSecret::from_bytes(CARD)
    }

    fn forge(&self) -> Forge<C> {
        Forge::new()
    }

    fn lock(&self, spoil: Spoil) -> LockId {
        LockId::new(self.forge().key(if spoil == Spoil::Lock { 98 } else { LOCK }))
    }

    fn slot(&self, spoil: Spoil) -> SlotId {
        if spoil == Spoil::Slot { SlotId::new(4) } else { SLOT }
    }

    fn by(&self, who: u8, spoil: Spoil) -> u8 {
        if spoil == Spoil::Signer { SERVICES[1] } else { who }
    }

    pub fn challenge(&self) -> Vec<u8> {
        self.forge().bare(&Challenge { lock: self.lock(Spoil::None), nonce: Nonce::from_bytes([7; 16]) })
    }

    pub fn provisioned(&self, provision: &[u8]) -> Vec<u8> {
        let (forge, lock) = (self.forge(), self.lock(Spoil::None));
        let card = forge.card_tag(&CARD, provision, lock);
        let (owner, service) = (forge.key(OWNER), forge.key(SERVICES[0]));
        forge.signed(&Provisioned { lock, epoch: Epoch::FIRST, owner, service, slots: SLOTS, card }, LOCK, &[])
    }

    pub fn grant(&self, grant: Grant, spoil: Spoil) -> Vec<u8> {
        let body = Granted {
            lock: self.lock(spoil),
            epoch: Epoch::new(grant.epoch),
            by: term(spoil),
            slot: self.slot(spoil),
            generation: Generation::new(grant.generation),
            subject: self.forge().key(grant.subject),
            rights: Rights::OPEN,
            limits: Limits::NONE,
        };
        self.forge().signed(&body, self.by(OWNER, spoil), &[])
    }

    fn grant_digest(&self, grant: Grant) -> Digest {
        self.forge().digest(&self.grant(grant, Spoil::None))
    }

    pub fn withdraw_of(&self, grant: Grant) -> Withdraw {
        Withdraw {
            lock: self.lock(Spoil::None),
            epoch: Epoch::new(grant.epoch),
            by: Term::OWNER,
            slot: SLOT,
            generation: Generation::new(grant.generation),
            grant: self.grant_digest(grant),
        }
    }

    pub fn withdraw(&self, grant: Grant, spoil: Spoil) -> Vec<u8> {
        let (lock, slot, by) = (self.lock(spoil), self.slot(spoil), term(spoil));
        let body = Withdraw { lock, by, slot, ..self.withdraw_of(grant) };
        self.forge().signed(&body, self.by(OWNER, spoil), &[])
    }

    /// By a service that says whatever it likes.
    pub fn withdrawn(&self, grant: Grant, outcome: WithdrawnOutcome) -> Vec<u8> {
        let outcome = match outcome {
            WithdrawnOutcome::Released { install } => WithdrawnOutcome::Released { install: self.install_of(&install) },
            other => other,
        };
        let withdraw = self.withdraw_of(grant);
        let withdraw_signature = last_signature(&self.forge().signed(&withdraw, OWNER, &[]));
        self.forge().signed(&Withdrawn { withdraw, withdraw_signature, outcome }, SERVICES[0], &[])
    }

    /// The real digest that stands for the install in an answer: of an install, a proof or a grant.
    fn install_of(&self, digest: &Digest) -> Digest {
        use super::steps::{Named, named};
        let forge = self.forge();
        match named(digest) {
            Named::Install(install) => forge.digest(&self.claimed(install, Spoil::None).1),
            Named::Grant(grant) => self.grant_digest(grant),
            Named::Receipt(install) => forge.digest(&self.proof(Proof::Receipt(install), Spoil::None)),
            Named::Inspected(found) => forge.digest(&self.proof(Proof::Inspected(found), Spoil::None)),
        }
    }

    /// Claim and install.
    pub fn claimed(&self, install: Install, spoil: Spoil) -> (Vec<u8>, Vec<u8>) {
        let forge = self.forge();
        let claim = Claim { grant: self.grant_digest(install.grant), device: forge.key(install.device) };
        let by = if spoil == Spoil::Claim { SERVICES[1] } else { install.grant.subject };
        let claim = forge.signed(&claim, by, &[]);
        let named = if spoil == Spoil::Names { Digest::from_bytes([0xdd; 32]) } else { forge.digest(&claim) };
        let agreement = AgreementKey::from_bytes([9; 32]);
        let body = Installs { claim: named, nonce: Nonce::from_bytes([install.n; 16]), agreement };
        (claim, forge.signed(&body, self.by(install.device, spoil), &[]))
    }

    fn receipt(&self, install: Install, spoil: Spoil) -> Vec<u8> {
        let forge = self.forge();
        let body = Receipt {
            install: forge.digest(&self.claimed(install, Spoil::None).1),
            lock: self.lock(spoil),
            epoch: Epoch::new(install.grant.epoch),
            slot: self.slot(spoil),
            generation: Generation::new(install.grant.generation),
            grant: self.grant_digest(install.grant),
            device: forge.key(install.device),
            agreement: AgreementKey::from_bytes([8; 32]),
        };
        forge.signed(&body, self.by(LOCK, spoil), &[])
    }

    fn done(&self, epoch: u32, completed: Completed, spoil: Spoil) -> Vec<u8> {
        let command = Digest::from_bytes([0; 32]);
        let (time, battery) = (LockTime::UNKNOWN, Battery::UNKNOWN);
        let body = Done { command, lock: self.lock(spoil), epoch: Epoch::new(epoch), time, battery, completed };
        self.forge().signed(&body, self.by(LOCK, spoil), &[])
    }

    pub fn proof(&self, proof: Proof, spoil: Spoil) -> Vec<u8> {
        let slot = self.slot(spoil);
        match proof {
            Proof::Receipt(install) => self.receipt(install, spoil),
            Proof::Turned { epoch, activate, number } => {
                let generation = Generation::new(number);
                let holding = if activate { Holding::Empty } else { Holding::Inactive };
                let left = SlotReport { floor: generation, holding };
                let completed = if activate {
                    Completed::Activate { slot, generation, left }
                } else {
                    Completed::Deactivate { slot, generation, left }
                };
                self.done(epoch, completed, spoil)
            }
            Proof::Inspected(found) => {
                let holding = match found.holder {
                    None => Holding::Empty,
                    Some((subject, device)) => {
                        let grant = Grant { epoch: found.epoch, generation: found.floor, subject };
                        Holding::Installed { grant: self.grant_digest(grant), device: self.forge().key(device) }
                    }
                };
                let left = SlotReport { floor: Generation::new(found.floor), holding };
                self.done(found.epoch, Completed::Inspect { slot, slots: SLOTS, left }, spoil)
            }
        }
    }

    /// The lock was handed over; spoilt, by another lock, or signed by somebody else.
    pub fn transferred(&self, epoch: u32, owner: u8, service: u8, spoil: Spoil) -> Vec<u8> {
        let (owner, service) = (self.forge().key(owner), self.forge().key(service));
        let command = Digest::from_bytes([0; 32]);
        let completed = Completed::Transfer { owner, service, slots: SLOTS };
        let (time, battery) = (LockTime::UNKNOWN, Battery::UNKNOWN);
        let body = Done { command, lock: self.lock(spoil), epoch: Epoch::new(epoch), time, battery, completed };
        let by = if spoil == Spoil::Lock { 98 } else { self.by(LOCK, spoil) };
        self.forge().signed(&body, by, &[])
    }
}

fn term(spoil: Spoil) -> Term {
    if spoil == Spoil::Term { Term::new(1) } else { Term::OWNER }
}
