//! Talking to the lock, and the owner's part of it.

use super::*;

impl World {
    pub(super) fn challenge(&mut self, connect: &[u8]) -> Outcome<Vec<u8>> {
        self.machine.request(connect)
    }

    /// Sends a request that must be accepted.
    pub(super) fn accepted(&mut self, message: &[u8]) -> Outcome<Vec<u8>> {
        let answer = self.attempt(message)?.map_err(|reason| format!("refused: {reason}"))?;
        self.accepted.push(message.to_vec());
        Ok(answer)
    }

    /// Sends a request; gives the answer, or the reason that the lock logs.
    pub(super) fn attempt(&mut self, message: &[u8]) -> Outcome<Result<Vec<u8>, String>> {
        let (answer, refused) = self.machine.exchange(message)?;
        self.ledger.read(&self.machine.log()?)?;
        Ok(refused.map_or(Ok(answer), Err))
    }

    /// Signs an order over a challenge of the lock, and waits for its answer in `pending`.
    pub(super) fn sign(&mut self, order: Order) -> Outcome<Vec<u8>> {
        let challenge = self.challenge(&Connect::OPERATE)?;
        let staged = self.owners[self.owner].order(&mut self.view, order, &challenge, &mut entropy())?;
        let (command, pending) = staged.commit(saved)?;
        self.pending = Pending::Command(pending);
        Ok(command.to_vec())
    }

    /// Orders, and takes the answer.
    pub(super) fn order(&mut self, order: Order) -> Outcome<Fact> {
        let waiting = std::mem::take(&mut self.pending);
        let command = self.sign(order)?;
        let Pending::Command(pending) = std::mem::replace(&mut self.pending, waiting) else {
            return Err("no order".into());
        };
        let done = self.accepted(&command)?;
        self.finish(&pending, &done)
    }

    /// Takes the lock's answer to an order into view and record.
    pub(super) fn finish(&mut self, pending: &PendingCommand, done: &[u8]) -> Outcome<Fact> {
        let staged = pending.finish(&self.owners[self.owner], &mut self.view, done)?;
        let learned = staged.commit(saved)?;
        self.cloud.take(done)?;
        Ok(learned.fact)
    }

    pub(super) fn inspect(&mut self, slot: SlotId) -> Outcome<SlotReport> {
        match self.order(Order::Inspect { slot })? {
            Fact::Done { completed: Completed::Inspect { left, .. }, .. } => Ok(left),
            other => Err(format!("not an inspection: {other:?}").into()),
        }
    }
}
