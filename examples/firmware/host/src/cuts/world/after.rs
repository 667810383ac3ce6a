//! After a cut: which state is it, and does everything hold that must.

use super::*;

/// Which state a cut left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// The one before the operation.
    Before,
    /// The one after it.
    After,
    /// The operation changes nothing that can be told apart.
    Either,
}

impl World {
    /// Asks the lock, which was just booted after a cut, what it holds.
    pub fn examine(&mut self, operation: Operation, cut: &CutShort) -> Outcome<Left> {
        let log = self.machine.log()?;
        self.ledger.read(&log)?;
        let left = self.compare(operation, cut)?;
        ensure(cut.answer.is_none() || left != Left::Before, || "an answer was given for what is not on flash".into())?;
        self.try_the_dead()?;
        self.try_the_living()?;
        self.replay()?;
        Ok(left)
    }

    fn compare(&mut self, operation: Operation, cut: &CutShort) -> Outcome<Left> {
        let answer = cut.answer.as_deref();
        let challenge = self.challenge(&Connect::OPERATE)?;
        let lock = Unverified::<Challenge>::parse(&challenge)?.claims().lock;
        if lock != self.lock {
            ensure(operation == Operation::Reset, || "another lock came back".into())?;
            return self.begin_again();
        }
        match (operation, std::mem::take(&mut self.pending)) {
            (Operation::Reset, _) => {
                ensure(!cut.log.contains("\nreset"), || "reset, and the same".into())?;
                self.nothing_else_changed(None).map(|()| Left::Before)
            }
            // The same owner again: the lock takes it, or has it and says so again.
            (Operation::Provision, _) => self.begin_again().map(|_| Left::Either),
            (Operation::Transfer, Pending::Command(pending)) => self.after_transfer(&pending, answer),
            (Operation::Activate(slot) | Operation::Deactivate(slot), Pending::Command(pending)) => {
                self.after_order(slot, &pending, answer)
            }
            (Operation::Install(slot), Pending::Install { newcomer, attempt, release }) => {
                self.after_install(slot, *newcomer, (&attempt, &release), answer)
            }
            (Operation::Rekey(slot), Pending::Rekey { attempt, release }) => {
                self.after_rekey(slot, (&attempt, &release), answer)
            }
            _ => self.nothing_else_changed(None).map(|()| Left::Either),
        }
    }

    /// Every slot but `changed` is as it was.
    fn nothing_else_changed(&mut self, changed: Option<SlotId>) -> Outcome<()> {
        for slot in played().filter(|slot| Some(*slot) != changed) {
            let (before, now) = (self.slot(slot).report, self.inspect(slot)?);
            ensure(before == now, || format!("slot {slot} was {before:?} and is {now:?}"))?;
        }
        Ok(())
    }

    /// Before or after: nothing else.
    fn told_apart(&mut self, slot: SlotId, after: SlotReport) -> Outcome<Left> {
        self.nothing_else_changed(Some(slot))?;
        let before = self.slot(slot).report;
        match self.inspect(slot)? {
            now if now == after => Ok(Left::After),
            now if now == before => Ok(Left::Before),
            now => Err(format!("slot {slot} was {before:?}, would be {after:?}, and is {now:?}").into()),
        }
    }

    fn after_order(&mut self, slot: SlotId, pending: &PendingCommand, answer: Option<&[u8]>) -> Outcome<Left> {
        use sharekey::message::Operation as Ordered;
        let after = match *pending.operation() {
            Ordered::Activate { generation, .. } => SlotReport { floor: generation, holding: Holding::Empty },
            Ordered::Deactivate { generation, .. } => SlotReport { floor: generation, holding: Holding::Inactive },
            other => return Err(format!("not ordered: {other:?}").into()),
        };
        let left = self.told_apart(slot, after)?;
        if let Some(done) = answer {
            self.finish(pending, done)?;
        }
        if left == Left::After {
            self.slot_mut(slot).report = after;
            if let Some(guest) = self.slot_mut(slot).guest.take() {
                self.bury(guest);
            }
        }
        Ok(left)
    }

    /// The old owner is asked first; where it is refused, the new owner must be in.
    fn after_transfer(&mut self, pending: &PendingCommand, answer: Option<&[u8]>) -> Outcome<Left> {
        let slot = SlotId::new(0);
        let old = self.sign(Order::Inspect { slot })?;
        let inspection = std::mem::take(&mut self.pending);
        if let (Ok(done), Pending::Command(inspection)) = (self.attempt(&old)?, inspection) {
            self.finish(&inspection, &done)?;
            return self.nothing_else_changed(None).map(|()| Left::Before);
        }
        if let Some(done) = answer {
            self.finish(pending, done)?;
            self.owner = 1 - self.owner;
            let new = self.owners[self.owner].adopt(self.lock, &self.cloud.key(), done)?;
            self.view = new.put_new(None, saved)?;
        } else {
            self.take_over()?;
        }
        self.look_anew()?;
        self.open_slots()?;
        Ok(Left::After)
    }

    /// The answer was lost: the new owner transfers the lock to itself.
    fn take_over(&mut self) -> Outcome<()> {
        let epoch = self.view.epoch().next().ok_or("no further epoch")?;
        self.owner = 1 - self.owner;
        let challenge = self.challenge(&Connect::OPERATE)?;
        let (owner, service) = (&self.owners[self.owner], self.cloud.key());
        let (command, pending) = owner.take_over((self.lock, epoch), service, &challenge, &mut entropy())?;
        let done = self.accepted(&command)?;
        self.view = pending.finish(&self.owners[self.owner], &done)?.put_new(None, saved)?;
        self.cloud.take(&done).map(drop)
    }

    /// A reset came to its end: the lock is another one, and everything of before is dead.
    fn begin_again(&mut self) -> Outcome<Left> {
        self.view = provision(&mut self.machine, &self.card, &self.owners[self.owner], &mut self.cloud)?;
        self.lock = self.view.lock();
        self.look_anew()?;
        self.open_slots()?;
        Ok(Left::After)
    }

    fn after_install(
        &mut self,
        slot: SlotId,
        newcomer: Newcomer,
        released: (&Installing, &[u8]),
        answer: Option<&[u8]>,
    ) -> Outcome<Left> {
        let (after, device) = installed_by(&newcomer.claimed)?;
        let left = self.told_apart(slot, after)?;
        if let Some(old) = self.slot_mut(slot).guest.take() {
            // The old key still locks where the state is the one before, and is refused where it is the one after.
            let works = self.use_key(&old.key, Action::Lock)?;
            ensure(works.is_ok() == (left == Left::Before), || format!("{left:?}, and the old key: {works:?}"))?;
            self.bury(old);
        }
        let Newcomer { claimed, uses } = newcomer;
        self.ledger.comes(&device, uses);
        let key = match answer {
            Some(receipt) => self.take_receipt(released, receipt)?,
            // Progress: the same device comes again, whichever state it finds.
            None => self.download(slot, &claimed)?,
        };
        *self.slot_mut(slot) = Slot { report: after, guest: Some(Guest { claimed, key, uses }) };
        Ok(left)
    }

    fn after_rekey(&mut self, slot: SlotId, released: (&Installing, &[u8]), answer: Option<&[u8]>) -> Outcome<Left> {
        self.nothing_else_changed(None)?;
        let Guest { claimed, key: old, uses } = self.slot_mut(slot).guest.take().ok_or("nobody is there")?;
        let left = if self.use_key(&old, Action::Lock)?.is_ok() { Left::Before } else { Left::After };
        let key = match answer {
            Some(receipt) => self.take_receipt(released, receipt)?,
            None => self.download(slot, &claimed)?,
        };
        ensure(self.use_key(&old, Action::Lock)?.is_err(), || "the pairing key of before still opens".into())?;
        self.slot_mut(slot).guest = Some(Guest { claimed, key, uses });
        Ok(left)
    }

    /// Keys that were overwritten, wiped, or are another ownership's or lock's.
    fn try_the_dead(&mut self) -> Outcome<()> {
        let dead = std::mem::take(&mut self.dead);
        let newest = dead.len().saturating_sub(2);
        let any = self.machine.boots() % dead.len().max(1);
        for key in dead.iter().skip(newest).chain(dead.get(any)) {
            let opens = self.use_key(key, Action::Open)?.is_ok();
            ensure(!opens, || format!("a dead key opens slot {}", key.slot()))?;
            self.dead_tried += 1;
        }
        self.dead = dead;
        Ok(())
    }

    /// A key that is installed works after every cut.
    fn try_the_living(&mut self) -> Outcome<()> {
        for slot in played() {
            let Some(guest) = self.slot_mut(slot).guest.take() else { continue };
            let works = self.use_key(&guest.key, Action::Lock)?;
            ensure(works.is_ok(), || format!("the key of slot {slot} is refused: {works:?}"))?;
            self.slot_mut(slot).guest = Some(guest);
        }
        Ok(())
    }

    /// Whatever was accepted once is accepted no more, with a finger on the button too.
    fn replay(&mut self) -> Outcome<()> {
        let any = self.machine.boots() * 7 % self.accepted.len().max(1);
        let again = [self.accepted.last(), self.accepted.get(any)];
        let again: Vec<Vec<u8>> = again.into_iter().flatten().cloned().collect();
        self.machine.press_button(true)?;
        for request in again {
            let connect = if Kind::of(&request)? == Kind::Bundle { Connect::INSTALL } else { Connect::OPERATE };
            self.challenge(&connect)?;
            ensure(self.attempt(&request)?.is_err(), || "a request was accepted twice".into())?;
            self.replayed += 1;
        }
        self.machine.press_button(false)
    }
}

/// What the slot holds once this claim is installed, and the device.
fn installed_by(claimed: &Claimed) -> Outcome<(SlotReport, String)> {
    let floor = Invitation::read(claimed.grant())?.generation();
    let device = Unverified::<Claim>::parse(claimed.claim())?.claims().device;
    let holding = Holding::Installed { grant: claimed.grant().digest(&Ring), device };
    Ok((SlotReport { floor, holding }, device.to_string()))
}
