//! What the owner does at the lock.

use anyhow::Context as _;
use clap::Subcommand;
use sharekey::counter::Epoch;
use sharekey::error::{OwnerError, RefuseReason};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::Action;
use sharekey::message::{Completed, Connect, Holding, ReportAnswer, SlotReport};
use sharekey::owner::{Fact, Order, OwnedLock};

use super::Phone;
use crate::args;
use crate::cli::{Card, Radio, Transfer};
use crate::files;
use crate::lock::Firmware;
use crate::moment::{self, When};
use crate::refusal::{By as _, Refusal};
use crate::service::Cloud;
use crate::show::short;
use crate::wire::names::Names;

/// What an owner orders at the lock.
#[derive(Subcommand)]
pub enum AtLock {
    /// At the lock: open a slot for sharing.
    Activate {
        /// Which slot, from 0
        #[arg(value_parser = args::slot)]
        slot: SlotId,
        #[command(flatten)]
        radio: Radio,
    },
    /// At the lock: close a slot; its key is dead at once.
    Deactivate {
        /// Which slot, from 0
        #[arg(value_parser = args::slot)]
        slot: SlotId,
        #[command(flatten)]
        radio: Radio,
    },
    /// At the lock: ask what a slot holds.
    Inspect {
        /// Which slot, from 0
        #[arg(value_parser = args::slot)]
        slot: SlotId,
        #[command(flatten)]
        radio: Radio,
    },
    /// At the lock: open the door.
    Open {
        /// Lock it instead.
        #[arg(long)]
        lock: bool,
        #[command(flatten)]
        radio: Radio,
    },
    /// At the lock: set its clock, to TIME or to the time now.
    SetClock {
        #[arg(value_parser = args::when)]
        time: Option<When>,
        #[command(flatten)]
        radio: Radio,
    },
    /// At the lock: hand it to the owner NAME (to yourself, perhaps). Ends every key.
    Transfer(Box<Transfer>),
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
        let mut view = self.begin(heard.check(&self.voice(), pending.finish(&self.owner, &answer))?)?;
        self.home.set_current_owner(&self.name)?;
        self.send_if_reached(&mut view)?;
        println!("Lock {} is {}'s now: epoch {}.", short(view.lock().key()), self.name, view.epoch());
        Ok(())
    }

    pub fn at_lock(&self, command: AtLock) -> anyhow::Result<()> {
        let (order, radio) = match command {
            AtLock::Activate { slot, radio } => (Order::Activate { slot }, radio),
            AtLock::Deactivate { slot, radio } => (Order::Deactivate { slot }, radio),
            AtLock::Inspect { slot, radio } => (Order::Inspect { slot }, radio),
            AtLock::Open { lock: true, radio } => (Order::Act { action: Action::Lock }, radio),
            AtLock::Open { lock: false, radio } => (Order::Act { action: Action::Open }, radio),
            AtLock::SetClock { time, radio } => {
                let now = self.home.now();
                (Order::SetClock { to: time.map_or(Ok(now), |time| time.after(now))? }, radio)
            }
            AtLock::Transfer(transfer) => return self.transfer(&transfer),
        };
        self.order(&mut Firmware::boot(self.home, radio.crash_after)?, &radio, order).map(drop)
    }

    /// Says what the lock did.
    fn tell(&self, done: &Completed) -> anyhow::Result<()> {
        match done {
            Completed::Activate { slot, generation, .. } => {
                println!("Slot {slot} is open for sharing (number {generation}).");
            }
            Completed::Deactivate { slot, generation, .. } => {
                println!("Slot {slot} is closed (number {generation}): whatever key it held is dead.");
            }
            Completed::Act { action: Action::Open } => println!("{} opens the door.", self.name),
            Completed::Act { action: Action::Lock } => println!("{} locks the door.", self.name),
            Completed::SetClock { to } => println!("The lock's clock shows {}.", moment::show(*to)),
            Completed::Inspect { slot, left, .. } => println!("The lock says: slot {slot} {}.", self.holds(left)?),
            Completed::Transfer { .. } => {}
        }
        Ok(())
    }

    fn holds(&self, left: &SlotReport) -> anyhow::Result<String> {
        let floor = left.floor;
        Ok(match left.holding {
            Holding::Inactive => format!("is closed; number {floor}"),
            Holding::Empty => format!("is open for sharing, no key; number {floor}"),
            Holding::Installed { grant, device } => {
                let device = Names::gather(self.home)?.of(&device);
                format!("has a key for {device}, from grant {}; number {floor}", short(&grant))
            }
        })
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
        let done = self.order(&mut lock, radio, Order::Transfer { owner: key, service })?;
        self.home.set_current_owner(to)?;
        if let Some(heir) = &heir {
            self.home.wire().record(self.who(), heir.who(), &done)?;
            let _ = heir.adopt(lock.id(), &done)?;
        }
        let mut view = new.view()?;
        new.send_if_reached(&mut view)?;
        println!("The lock is {to}'s now: epoch {}. No key from before opens it.", view.epoch());
        then_activate.map_or(Ok(()), |slot| new.order(&mut lock, radio, Order::Activate { slot }).map(drop))
    }

    /// Takes a lock over that its old owner transferred: the lock that stands here, and the service
    /// that this owner uses.
    pub fn adopt(&self, lock: LockId, statement: &[u8]) -> anyhow::Result<OwnedLock> {
        let service = Cloud::open(self.home)?.key();
        self.begin(self.owner.adopt(lock, &service, statement).by(&self.voice())?)
    }

    /// Begins with the lock that stands here by what the service has of it: the lock's word for whose it is, and a report
    /// of each slot.
    pub fn begin_anew(&self) -> anyhow::Result<()> {
        let lock = Firmware::boot(self.home, None)?.id();
        let asked = self.home.draw(|rng| self.owner.ask_anew(lock, SlotId::new(0), self.home.now(), rng));
        let (request, _) = asked.by(&self.voice())?;
        let answer = Cloud::open(self.home)?.report(self.who(), &request)?;
        let statement = ReportAnswer::parse(&answer).by(&self.voice())?.statement();
        let view = self.adopt(lock, statement.context("the service named no owner")?)?;
        self.home.set_current_owner(&self.name)?;
        println!("Lock {} is {}'s: epoch {}. No key ended.", short(view.lock().key()), self.name, view.epoch());
        Ok(())
    }

    /// Takes over the lock that stands here, which stores this owner's key, where the `Done` of the transfer was lost.
    pub fn take_over(&self, epoch: Option<u32>, radio: &Radio) -> anyhow::Result<()> {
        let before = self.stored_view()?.map(|view| view.epoch());
        let epoch = epoch.map(Epoch::new).or_else(|| before?.next());
        let epoch = epoch.context("which epoch? One above that of whoever handed the lock over: --epoch N")?;
        let service = Cloud::open(self.home)?.key();
        let mut lock = Firmware::boot(self.home, radio.crash_after)?;
        let (id, mut waiting) = (lock.id(), None);
        let heard = lock.exchange(self.who(), &Connect::OPERATE, radio, |challenge| {
            let made = self.home.draw(|rng| self.owner.take_over((id, epoch), service, challenge, rng));
            let (message, pending) = made.by(&self.voice())?;
            waiting = Some(pending);
            Ok(message.to_vec())
        })?;
        let Some(pending) = waiting else { anyhow::bail!("nothing was asked of the lock") };
        let answer = heard.answer.clone();
        let mut view = self.begin(heard.check(&self.voice(), pending.finish(&self.owner, &answer))?)?;
        self.home.set_current_owner(&self.name)?;
        self.send_if_reached(&mut view)?;
        println!("The lock is {}'s now: epoch {}. No key from before opens it.", self.name, view.epoch());
        Ok(())
    }

    /// Keeps what a refusal hints at, and says what to do about it.
    fn hint(&self, view: &mut OwnedLock, error: OwnerError, mut told: anyhow::Error) -> anyhow::Result<anyhow::Error> {
        // What the lock signs is sure; anybody can send the first refusal that says nothing.
        let signed = error == OwnerError::Refused(RefuseReason::WrongEpoch);
        let again = signed || view.may_have_moved() && error == OwnerError::RefusedOpaque;
        view.suspect(error).by(&self.voice())?.commit(|next| self.save(next))?;
        if let (true, Some(refusal)) = (again, told.downcast_mut::<Refusal>()) {
            refusal.hint(
                "if it was handed to you (by yourself, perhaps) and the answer was lost, \"owner take-over\"; if to another, \
                 it is theirs",
            );
        }
        Ok(told)
    }

    /// Gives the lock an order: the view is stored before that leaves, and again with the answer. Tells the service what
    /// the lock did to a slot; gives the lock's signed word for it.
    fn order(&self, lock: &mut Firmware<'_>, radio: &Radio, order: Order) -> anyhow::Result<Vec<u8>> {
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
        let finished = match pending.finish(&self.owner, &mut view, &done) {
            Err(error) => {
                if matches!(error, OwnerError::Refused(RefuseReason::NoClock)) {
                    files::write(&self.folder.join("no-clock"), &[])?;
                }
                return match heard.check(&self.voice(), Err(error)) {
                    Err(told) => Err(self.hint(&mut view, error, told)?),
                    Ok(done) => Ok(done),
                };
            }
            Ok(finished) => finished.commit(|next| self.save(next))?,
        };
        if let Fact::Done { completed, .. } = finished.fact {
            self.tell(&completed)?;
            if completed.operation().slot().is_some() {
                self.send_if_reached(&mut view)?;
            }
        }
        Ok(done)
    }

    /// What an attacker's message in the place of the lock's challenge or answer does to the next
    /// order.
    pub fn try_to_inspect(&self, radio: &Radio) -> anyhow::Result<()> {
        self.at_lock(AtLock::Inspect { slot: SlotId::new(0), radio: radio.clone() })
    }
}
