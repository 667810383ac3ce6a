//! A slot as the service's record and the owner's view keep it: one number line, one share, and every
//! key that may still open (spec: "Slots").

use alloc::collections::BTreeMap;

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::SlotError;
use sharekey::message::{Holding, SlotReport, WithdrawnOutcome};
use sharekey::slot::{GrantRef, State};

/// How many generations may be live (spec: SLO-13).
const MAX_LIVE: usize = 16;

/// The grant that is shared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ShareModel {
    /// Which.
    pub key: GrantRef,
    /// The device that it was released to, or that the lock found it with.
    pub device: Option<PublicKey>,
}

/// What is known of a key that may open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LiveModel {
    /// The latest install that was released for it.
    pub install: Option<Digest>,
    /// The device that the lock says holds it, and the digest of what says so.
    pub confirmed: Option<(PublicKey, Digest)>,
    /// Its withdrawal was answered.
    pub withdrawn: bool,
}

/// A slot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LineModel {
    /// The ownership that all of this belongs to.
    pub epoch: Epoch,
    /// The highest number seen.
    pub highest: Generation,
    /// The proven floor.
    pub floor: Generation,
    /// The last told: the highest floor of which the lock told whether the slot was open.
    pub last_told: Generation,
    /// Whether it was.
    pub active: bool,
    /// The share.
    pub share: Option<ShareModel>,
    /// The keys that may open.
    pub live: BTreeMap<GrantRef, LiveModel>,
}

impl LineModel {
    /// The slot at the beginning of an epoch.
    #[must_use]
    pub const fn new(epoch: Epoch) -> Self {
        let zero = Generation::ZERO;
        let live = BTreeMap::new();
        Self { epoch, highest: zero, floor: zero, last_told: zero, active: false, share: None, live }
    }

    /// Which state it is in.
    #[must_use]
    pub const fn state(&self) -> State {
        match self.share {
            _ if !self.active => State::Inactive,
            None => State::NotShared,
            Some(ShareModel { device: None, .. }) => State::Sharing,
            Some(ShareModel { device: Some(_), .. }) => State::Shared,
        }
    }

    /// A number was seen.
    pub fn see(&mut self, number: Generation) {
        self.highest = self.highest.max(number);
    }

    /// Whether a grant can be published, or signed.
    pub(super) fn may_publish(&self, key: GrantRef) -> Result<(), SlotError> {
        if self.shares(key) {
            return Err(SlotError::AlreadyPublished);
        }
        if key.generation <= self.highest {
            return Err(SlotError::StaleNumber);
        }
        match self.state() {
            State::Inactive => Err(SlotError::NotActive),
            State::Sharing | State::Shared => Err(SlotError::AlreadyShared),
            State::NotShared if self.is_full() => Err(SlotError::LiveFull),
            State::NotShared => Ok(()),
        }
    }

    /// A grant is published. Whatever comes of it, its number is taken.
    ///
    /// # Errors
    /// Why it is not.
    pub fn publish(&mut self, key: GrantRef) -> Result<(), SlotError> {
        let judged = self.may_publish(key);
        self.see(key.generation);
        judged?;
        self.share = Some(ShareModel { key, device: None });
        Ok(())
    }

    /// A grant is released to a device for an install.
    ///
    /// # Errors
    /// Why it is not.
    pub fn release(&mut self, grant: &Digest, device: PublicKey, install: Digest) -> Result<(), SlotError> {
        let share = self.share.as_mut().filter(|share| share.key.grant == *grant).ok_or(SlotError::NotPublished)?;
        if share.device.is_some_and(|first| first != device) {
            return Err(SlotError::ClaimedByOtherDevice);
        }
        share.device = Some(device);
        self.live.entry(share.key).or_default().install = Some(install);
        Ok(())
    }

    /// The record's answer to a withdrawal. Of a key that no install is known of, what the lock said of
    /// it stands for the install.
    pub fn withdraw(&mut self, key: GrantRef) -> WithdrawnOutcome {
        self.see(key.generation);
        self.unshare(|share| share == key);
        match self.live.get(&key) {
            Some(live) => {
                let install = live.install.or(live.confirmed.map(|(_, proof)| proof)).unwrap_or(key.grant);
                WithdrawnOutcome::Released { install }
            }
            None if key.generation <= self.floor => WithdrawnOutcome::Settled,
            None => WithdrawnOutcome::NeverReleased,
        }
    }

    /// An owner learns the record's answer to a withdrawal.
    ///
    /// # Errors
    /// [`SlotError::LiveFull`], with nothing changed.
    pub fn withdrawn(&mut self, key: GrantRef, outcome: &WithdrawnOutcome) -> Result<(), SlotError> {
        match outcome {
            // What the lock, or the service itself, said otherwise stands.
            WithdrawnOutcome::NeverReleased => {
                if self.live.get(&key).is_some_and(|live| live.install.is_none() && live.confirmed.is_none()) {
                    self.live.remove(&key);
                }
            }
            WithdrawnOutcome::Released { install } => {
                if key.generation > self.floor || self.live.contains_key(&key) {
                    self.note(key)?.install = Some(*install);
                }
            }
            WithdrawnOutcome::Settled => {}
        }
        if let Some(live) = self.live.get_mut(&key) {
            live.withdrawn = true;
        }
        self.see(key.generation);
        self.unshare(|share| share == key);
        Ok(())
    }

    /// An owner learns a grant that another of its phones signed.
    ///
    /// # Errors
    /// [`SlotError::LiveFull`], with nothing changed.
    pub fn learn(&mut self, key: GrantRef) -> Result<(), SlotError> {
        let proved_dead = key.generation <= self.floor && !self.live.contains_key(&key);
        if proved_dead {
            return Ok(());
        }
        let live = *self.note(key)?;
        let newer = key.generation > self.highest;
        self.see(key.generation);
        if self.active && (newer || (self.share.is_none() && !live.withdrawn)) {
            self.share = Some(ShareModel { key, device: live.confirmed.map(|(device, _)| device) });
        }
        Ok(())
    }

    /// Counts a key as live, from now on where it was not.
    pub(super) fn note(&mut self, key: GrantRef) -> Result<&mut LiveModel, SlotError> {
        let unproven = self.live.values().filter(|live| live.confirmed.is_none()).count();
        if !self.live.contains_key(&key) && unproven >= MAX_LIVE {
            return Err(SlotError::LiveFull);
        }
        Ok(self.live.entry(key).or_default())
    }

    /// At this floor the lock held no key: an Activate or Deactivate took the number, or an Inspect found it so.
    pub fn done(&mut self, activate: bool, floor: Generation) {
        self.see(floor);
        self.floor = self.floor.max(floor);
        self.live.retain(|key, _| key.generation > floor);
        self.unshare(|share| share.generation <= floor);
        self.tell(activate, floor);
    }

    /// At this floor the slot was open, or was not.
    fn tell(&mut self, active: bool, floor: Generation) {
        if floor > self.last_told {
            self.last_told = floor;
            self.active = active;
            if !active {
                self.share = None;
            }
        }
    }

    /// A receipt, or an Inspect that found a key: the lock holds this key for this device.
    pub fn confirm(&mut self, key: GrantRef, device: PublicKey, install: Option<Digest>, proof: Digest) {
        if key.generation <= self.floor {
            return;
        }
        self.floor = key.generation;
        self.see(key.generation);
        self.tell(true, key.generation);
        let before = self.live.get(&key).copied().unwrap_or_default();
        // One number is one key at the lock: another grant with this number is dead too.
        self.live.retain(|live, _| live.generation > key.generation);
        let install = before.install.or(install);
        self.live.insert(key, LiveModel { install, confirmed: Some((device, proof)), withdrawn: before.withdrawn });
        self.unshare(|share| share.generation <= key.generation && share != key);
        if let Some(share) = self.share.as_mut().filter(|share| share.key == key) {
            share.device = Some(device);
        }
    }

    /// The lock said what the slot holds.
    pub fn inspected(&mut self, report: &SlotReport, proof: Digest) {
        match report.holding {
            Holding::Installed { grant, device } => {
                self.confirm(GrantRef { generation: report.floor, grant }, device, None, proof);
            }
            Holding::Inactive => self.done(false, report.floor),
            Holding::Empty => self.done(true, report.floor),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.live.len() >= MAX_LIVE
    }

    fn shares(&self, key: GrantRef) -> bool {
        self.share.is_some_and(|share| share.key == key)
    }

    fn unshare(&mut self, ends: impl Fn(GrantRef) -> bool) {
        self.share = self.share.filter(|share| !ends(share.key));
    }
}
