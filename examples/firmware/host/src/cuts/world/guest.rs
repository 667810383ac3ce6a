//! Guests: sharing with them, their download, and opening.

use super::*;

/// A guest whose key is installed.
pub struct Guest {
    pub claimed: Claimed,
    pub key: GuestKey,
    pub uses: Option<u32>,
}

impl Guest {
    /// The device, as the lock logs it.
    pub fn device(&self) -> String {
        self.key.device().to_string()
    }
}

/// A guest before the download.
pub struct Newcomer {
    pub claimed: Claimed,
    pub uses: Option<u32>,
}

impl World {
    /// Shares the slot with somebody new, who claims it.
    fn share(&mut self, slot: SlotId, uses: Option<u32>) -> Outcome<Newcomer> {
        if self.view.status(slot).shared.is_some() {
            self.withdraw(slot)?;
        }
        if !is_free(&self.view, slot) {
            // An answer of the lock was lost, so the owner orders again.
            self.order(Order::Activate { slot })?;
            self.settle(slot)?;
        }
        let account = Account::from_seed(&Ring, &Seed::random(&mut entropy()))?;
        let limits = Limits::new(None, None, None, uses)?;
        let (owner, subject) = (&self.owners[self.owner], *account.public_key());
        let staged = owner.share(&mut self.view, slot, subject, Method::Account, Rights::OPEN_AND_LOCK, limits)?;
        let grant = staged.commit(saved)?;
        self.cloud.take(&grant)?;
        let grant = self.cloud.find(&account.ask(&Ring, &self.cloud.key(), sharekey_apps::now(), &mut entropy())?)?;
        Ok(Newcomer { claimed: account.claim(&Ring, &grant, None, &mut entropy())?.stored(), uses })
    }

    fn withdraw(&mut self, slot: SlotId) -> Outcome<()> {
        let owner = &self.owners[self.owner];
        let withdraw = owner.withdraw(&mut self.view, slot)?.commit(saved)?;
        let answer = self.cloud.take(&withdraw)?;
        let _ = owner.learn(&mut self.view, &answer)?.commit(saved)?;
        Ok(())
    }

    /// An order of the owner's has wiped what was in the slot.
    fn settle(&mut self, slot: SlotId) -> Outcome<()> {
        if let Some(guest) = self.slot_mut(slot).guest.take() {
            self.bury(guest);
        }
        self.slot_mut(slot).report = self.inspect(slot)?;
        Ok(())
    }

    /// The install of this claim over a challenge of the lock, and the service's release of it.
    fn released(&mut self, slot: SlotId, claimed: &Claimed) -> Outcome<(Installing, Vec<u8>)> {
        let challenge = self.challenge(&Connect::INSTALL)?;
        let attempt = claimed.install(&Ring, &challenge, &mut entropy())?.stored();
        let release = self.cloud.take(((self.lock, slot), attempt.claim(), attempt.install()))?;
        Ok((attempt, release))
    }

    /// The bundle by which somebody new takes the slot.
    pub(super) fn begin_install(&mut self, slot: SlotId) -> Outcome<Vec<u8>> {
        let uses = [None, Some(2), Some(5)][self.machine.boots() % 3];
        let newcomer = self.share(slot, uses)?;
        let (attempt, release) = self.released(slot, &newcomer.claimed)?;
        let bundle = attempt.bundle(&Ring, &release)?.bundle().to_vec();
        self.pending = Pending::Install { newcomer: Box::new(newcomer), attempt, release };
        Ok(bundle)
    }

    /// The bundle by which the guest that is there gets a new pairing key.
    pub(super) fn begin_rekey(&mut self, slot: SlotId) -> Outcome<Vec<u8>> {
        let guest = self.slot_mut(slot).guest.take().ok_or("nobody is there")?;
        let released = self.released(slot, &guest.claimed);
        self.slot_mut(slot).guest = Some(guest);
        let (attempt, release) = released?;
        let bundle = attempt.bundle(&Ring, &release)?.bundle().to_vec();
        self.pending = Pending::Rekey { attempt, release };
        Ok(bundle)
    }

    pub(super) fn begin_open(&mut self, slot: SlotId) -> Outcome<Vec<u8>> {
        let challenge = self.challenge(&Connect::OPERATE)?;
        let guest = self.slots[usize::from(slot.index())].guest.as_ref().ok_or("nobody is there")?;
        let (unlock, _) = guest.key.unlock(&Ring, &challenge, Action::Open, &mut entropy())?;
        self.ledger.begins(&guest.device());
        Ok(unlock.to_vec())
    }

    /// The receipt gives the key, and owner and service learn of it.
    pub(super) fn take_receipt(
        &mut self,
        (attempt, release): (&Installing, &[u8]),
        receipt: &[u8],
    ) -> Outcome<GuestKey> {
        let key = attempt.bundle(&Ring, release)?.finish(&Ring, receipt)?.stored();
        self.cloud.take(receipt)?;
        let _ = self.owners[self.owner].learn(&mut self.view, receipt)?.commit(saved)?;
        Ok(key)
    }

    /// Downloads undisturbed: again, where an answer was lost.
    pub(super) fn download(&mut self, slot: SlotId, claimed: &Claimed) -> Outcome<GuestKey> {
        let (attempt, release) = self.released(slot, claimed)?;
        let bundle = attempt.bundle(&Ring, &release)?.bundle().to_vec();
        let receipt = self.accepted(&bundle)?;
        self.take_receipt((&attempt, &release), &receipt)
    }

    /// Tries a key; the reason that the lock logs, where it refuses.
    pub(super) fn use_key(&mut self, key: &GuestKey, action: Action) -> Outcome<Result<(), String>> {
        let challenge = self.challenge(&Connect::OPERATE)?;
        let (unlock, awaiting) = match key.unlock(&Ring, &challenge, action, &mut entropy()) {
            // A key of the lock that this was before its reset.
            Err(error) => return Ok(Err(error.to_string())),
            Ok(unlock) => unlock,
        };
        match self.attempt(&unlock)? {
            Err(reason) => Ok(Err(reason)),
            Ok(reply) => {
                key.check_reply(&Ring, &awaiting, &reply)?;
                self.accepted.push(unlock.to_vec());
                Ok(Ok(()))
            }
        }
    }
}
