//! The way to the service: what it must hear of, and what it reports.

use sharekey::id::SlotId;
use sharekey::message::WithdrawnOutcome;
use sharekey::owner::{Fact, OwnedLock, Standing};
use sharekey::slot::GrantRef;

use super::Phone;
use crate::refusal::By as _;
use crate::service::{Cloud, Unreachable};

/// What came of what was sent: the answers to withdrawals, and what was refused.
#[derive(Default)]
pub struct Sent {
    withdrawn: Vec<(SlotId, GrantRef, WithdrawnOutcome)>,
    refused: Vec<(Vec<u8>, anyhow::Error)>,
}

impl Sent {
    /// What the service said of the withdrawal of a key.
    pub fn answer(&self, slot: SlotId, key: GrantRef) -> Option<WithdrawnOutcome> {
        let mut withdrawn = self.withdrawn.iter();
        withdrawn.find(|(of, which, _)| (*of, *which) == (slot, key)).map(|(_, _, outcome)| *outcome)
    }

    /// Gives the refusal of this message, if it was refused.
    pub fn check(&mut self, message: &[u8]) -> anyhow::Result<()> {
        let at = self.refused.iter().position(|(refused, _)| refused == message);
        at.map_or(Ok(()), |at| Err(self.refused.swap_remove(at).1))
    }
}

/// A slot of which the service gave no report that was taken in, and why.
pub type Stale = (SlotId, anyhow::Error);

impl Phone<'_> {
    /// Sends the service what it must hear of, and takes in what it answers. What is refused is sent again another time, and
    /// does not hold up the rest.
    pub fn send(&self, view: &mut OwnedLock) -> anyhow::Result<Sent> {
        let cloud = Cloud::open(self.home)?;
        let due: Vec<Vec<u8>> = view.outbox().map(|due| due.message.to_vec()).collect();
        let mut sent = Sent::default();
        for message in due {
            match cloud.take_again(self.who(), &message) {
                Ok(answer) if answer.is_empty() => {}
                Ok(answer) => {
                    let learned = match self.owner.learn(view, &answer).by(&self.voice()) {
                        Ok(learned) => learned.commit(|next| self.save(next))?,
                        Err(error) => {
                            sent.refused.push((message, error));
                            continue;
                        }
                    };
                    if let Fact::Withdrawn { slot, key, outcome } = learned.fact {
                        sent.withdrawn.push((slot, key, outcome));
                    }
                }
                Err(error) if error.is::<Unreachable>() => return Err(error),
                Err(error) => sent.refused.push((message, error)),
            }
        }
        Ok(sent)
    }

    /// As [`send`](Self::send), where the owner need not know more than that it did not come to it.
    pub fn send_if_reached(&self, view: &mut OwnedLock) -> anyhow::Result<Sent> {
        match self.send(view) {
            Err(error) if error.is::<Unreachable>() => {
                println!("The service cannot be reached; it hears of this at the next contact.");
                Ok(Sent::default())
            }
            sent => sent,
        }
    }

    /// Asks the service what became of a slot.
    pub fn see(&self, view: &mut OwnedLock, slot: SlotId) -> anyhow::Result<()> {
        let asked = self.home.draw(|rng| self.owner.ask(view, slot, self.home.now(), rng));
        let (request, pending) = asked.by(&self.voice())?;
        let answer = Cloud::open(self.home)?.report(self.who(), &request)?;
        let _ = self.owner.see(view, pending, &answer).by(&self.voice())?.commit(|next| self.save(next))?;
        Ok(())
    }

    /// The view, after what the service has for it: each slot by its own report.
    pub fn synced_view(&self) -> anyhow::Result<(OwnedLock, Vec<Stale>)> {
        let mut view = self.view()?;
        let mut stale = Vec::new();
        if let Err(error) = self.send(&mut view) {
            anyhow::ensure!(error.is::<Unreachable>(), error);
        }
        if view.standing() == Standing::Transferred {
            return Ok((view, stale));
        }
        let slots: Vec<SlotId> = view.every_slot().collect();
        for slot in slots {
            if let Err(error) = self.see(&mut view, slot) {
                stale.push((slot, error));
            }
        }
        Ok((view, stale))
    }
}
