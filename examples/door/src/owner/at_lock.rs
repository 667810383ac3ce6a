//! What the owner does at the lock.

use sharekey::id::{LockId, SlotId};
use sharekey::limits::Action;
use sharekey::message::{Completed, Connect, Holding};
use sharekey::owner::{Fact, Order};

use super::Phone;
use crate::cli::{Card, Radio, Transfer};
use crate::lock::Firmware;
use crate::moment::{self, When};
use crate::refusal::By as _;
use crate::service::Cloud;
use crate::show::short;
use crate::wire::names::Names;

/// What the lock did, and its signed word for it.
struct Obeyed {
    fact: Fact,
    done: Vec<u8>,
}

impl Phone<'_> {
    pub fn provision(&self, card: &Card, radio: &Radio) -> anyhow::Result<()> {
        let cloud = Cloud::open(self.home)?;
        let mut lock = Firmware::boot(self.home, radio.crash_after)?;
        let mut waiting = None;
        let heard = lock.exchange(self.who(), &Connect::OPERATE, radio, |challenge| {
            let made = self.home.draw(|rng| self.owner.provision(&card.secret(), challenge, cloud.key(), rng));
            let (message, pending) = made.by(&self.voice())?;
            waiting = Some(pending);
            Ok(message.to_vec())
        })?;
        let Some(pending) = waiting else { anyhow::bail!("nothing was asked of the lock") };
        let answer = heard.answer.clone();
        let view = heard.check(&self.voice(), pending.finish(&self.owner, &answer))?;
        self.save(&view)?;
        self.home.set_current_owner(&self.name)?;
        cloud.take(self.who(), &answer)?;
        println!("Lock {} is {}'s now: epoch {}.", short(view.lock().key()), self.name, view.epoch());
        Ok(())
    }

    pub fn activate(&self, slot: SlotId, radio: &Radio) -> anyhow::Result<()> {
        self.activate_at(&mut Firmware::boot(self.home, radio.crash_after)?, slot, radio)
    }

    fn activate_at(&self, lock: &mut Firmware<'_>, slot: SlotId, radio: &Radio) -> anyhow::Result<()> {
        let obeyed = self.order_at(lock, radio, Order::Activate { slot })?;
        self.pass_on(&obeyed)?;
        println!("Slot {slot} is open for sharing{}.", number(&obeyed));
        Ok(())
    }

    pub fn deactivate(&self, slot: SlotId, radio: &Radio) -> anyhow::Result<()> {
        let obeyed = self.order(radio, Order::Deactivate { slot })?;
        self.pass_on(&obeyed)?;
        println!("Slot {slot} is closed{}: whatever key it held is dead.", number(&obeyed));
        Ok(())
    }

    pub fn inspect(&self, slot: SlotId, radio: &Radio) -> anyhow::Result<()> {
        let obeyed = self.order(radio, Order::Inspect { slot })?;
        self.pass_on(&obeyed)?;
        let Fact::Done { completed: Completed::Inspect { left, .. } } = obeyed.fact else { return Ok(()) };
        let floor = left.floor;
        match left.holding {
            Holding::Inactive => println!("The lock says: slot {slot} is closed; number {floor}."),
            Holding::Empty => println!("The lock says: slot {slot} is open for sharing, no key; number {floor}."),
            Holding::Installed { grant, device } => {
                let device = Names::gather(self.home)?.of(&device);
                println!(
                    "The lock says: slot {slot} has a key for {device}, from grant {}; number {floor}.",
                    short(&grant)
                );
            }
        }
        Ok(())
    }

    pub fn act(&self, lock: bool, radio: &Radio) -> anyhow::Result<()> {
        let action = if lock { Action::Lock } else { Action::Open };
        self.order(radio, Order::Act { action })?;
        println!("{} {} the door.", self.name, if lock { "locks" } else { "opens" });
        Ok(())
    }

    pub fn set_clock(&self, time: Option<When>, radio: &Radio) -> anyhow::Result<()> {
        let now = self.home.now();
        let to = time.map_or(Ok(now), |time| time.after(now))?;
        self.order(radio, Order::SetClock { to })?;
        println!("The lock's clock shows {}.", moment::show(to));
        Ok(())
    }

    /// Hands the lock over. The new owner takes the lock's word for it, and the service too.
    pub fn transfer(&self, transfer: &Transfer) -> anyhow::Result<()> {
        let Transfer { to, service, then_activate, radio } = transfer;
        let cloud = Cloud::open(self.home)?;
        let service = service.unwrap_or_else(|| cloud.key());
        let heir = if *to == self.name { None } else { Some(Phone::open(self.home, to)?) };
        let new = heir.as_ref().unwrap_or(self);
        let key = *new.owner.key();
        let mut lock = Firmware::boot(self.home, radio.crash_after)?;
        let obeyed = self.order_at(&mut lock, radio, Order::Transfer { owner: key, service })?;
        self.home.set_current_owner(to)?;
        if let Some(heir) = &heir {
            self.home.wire().record(self.who(), heir.who(), &obeyed.done)?;
            heir.adopt(lock.id(), &obeyed.done)?;
        }
        cloud.take(new.who(), &obeyed.done)?;
        println!("The lock is {to}'s now: epoch {}. No key from before opens it.", new.view()?.epoch());
        then_activate.map_or(Ok(()), |slot| new.activate_at(&mut lock, slot, radio))
    }

    /// Takes a lock over that its old owner transferred: the lock that stands here, and the service
    /// that this owner uses.
    pub fn adopt(&self, lock: LockId, done: &[u8]) -> anyhow::Result<()> {
        let service = Cloud::open(self.home)?.key();
        let view = self.owner.adopt(lock, &service, done).by(&self.voice())?;
        self.save(&view)
    }

    /// Goes to the lock and gives it an order.
    fn order(&self, radio: &Radio, order: Order) -> anyhow::Result<Obeyed> {
        self.order_at(&mut Firmware::boot(self.home, radio.crash_after)?, radio, order)
    }

    /// Gives the lock an order. The view is stored before the order leaves, and again with the answer.
    fn order_at(&self, lock: &mut Firmware<'_>, radio: &Radio, order: Order) -> anyhow::Result<Obeyed> {
        let mut view = self.view()?;
        let mut waiting = None;
        let heard = lock.exchange(self.who(), &Connect::OPERATE, radio, |challenge| {
            let ordered = self.home.draw(|rng| self.owner.order(&mut view, order, challenge, rng)).by(&self.voice())?;
            let (command, pending) = ordered.commit(|next| self.save(next))?;
            waiting = Some(pending);
            Ok(command.to_vec())
        })?;
        let Some(pending) = waiting else { anyhow::bail!("nothing was asked of the lock") };
        let done = heard.answer.clone();
        let finished = heard.check(&self.voice(), pending.finish(&self.owner, &mut view, &done))?;
        let fact = finished.commit(|next| self.save(next))?.fact;
        Ok(Obeyed { fact, done })
    }

    /// Tells the service what the lock did to a slot.
    fn pass_on(&self, obeyed: &Obeyed) -> anyhow::Result<()> {
        Cloud::open(self.home)?.take(self.who(), &obeyed.done)?;
        Ok(())
    }

    /// What an attacker's message in the place of the lock's challenge or answer does to the next
    /// order.
    pub fn try_to_inspect(&self, radio: &Radio) -> anyhow::Result<()> {
        self.inspect(SlotId::new(0), radio)
    }
}

fn number(obeyed: &Obeyed) -> String {
    match obeyed.fact {
        Fact::Done { completed: Completed::Activate { generation, .. } | Completed::Deactivate { generation, .. } } => {
            format!(" (number {generation})")
        }
        _ => String::new(),
    }
}
