//! Owner, service and guests, what they know of the lock, and what must hold of it.

use sharekey::crypto::Ring;
use sharekey::error::LockError;
use sharekey::guest::{Account, Claimed, GuestKey, Installing, Invitation};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::message::{Challenge, Claim, Completed, Connect, FactoryReset, Holding, SlotReport};
use sharekey::owner::{Fact, Method, Order, OwnedLock, Owner, PendingCommand};
use sharekey::secret::{ActivationSecret, Seed};
use sharekey::slot::State;
use sharekey::wire::{Kind, Unverified};

use super::ledger::Ledger;
use super::operation::{Operation, PLAYED};
use crate::machine::{CutShort, Firmware, Machine, Moment};
use crate::{Outcome, ensure, entropy};
use sharekey_apps::cloud::Cloud;

mod after;
mod guest;
mod talk;

pub use self::after::Left;
use self::guest::{Guest, Newcomer};

/// Everything outside the lock, and the lock in its machine.
pub struct World {
    pub machine: Machine,
    card: [u8; 16],
    lock: LockId,
    cloud: Cloud,
    /// Two, who give the lock to each other.
    owners: [Owner<Ring>; 2],
    owner: usize,
    view: OwnedLock,
    slots: Vec<Slot>,
    dead: Vec<GuestKey>,
    /// Requests that the lock has accepted.
    accepted: Vec<Vec<u8>>,
    pending: Pending,
    pub ledger: Ledger,
    pub dead_tried: usize,
    pub replayed: usize,
}

/// A slot, as the lock said at last, and the guest whose key is there.
struct Slot {
    report: SlotReport,
    guest: Option<Guest>,
}

/// What waits for the answer that a cut came upon.
#[derive(Default)]
enum Pending {
    #[default]
    Nothing,
    Command(PendingCommand),
    Install {
        newcomer: Box<Newcomer>,
        attempt: Installing,
        release: Vec<u8>,
    },
    Rekey {
        attempt: Installing,
        release: Vec<u8>,
    },
}

impl World {
    pub fn new(firmware: Firmware) -> Outcome<Self> {
        let card = *ActivationSecret::random(&mut entropy()).expose();
        let mut machine = Machine::new(firmware, &card)?;
        machine.boot()?;
        let owners =
            [Owner::new(Ring, &Seed::random(&mut entropy()))?, Owner::new(Ring, &Seed::random(&mut entropy()))?];
        let mut cloud = Cloud::new()?;
        let view = provision(&mut machine, &card, &owners[0], &mut cloud)?;
        let mut world = Self {
            machine,
            card,
            lock: view.lock(),
            cloud,
            owners,
            owner: 0,
            view,
            slots: Vec::new(),
            dead: Vec::new(),
            accepted: Vec::new(),
            pending: Pending::Nothing,
            ledger: Ledger::default(),
            dead_tried: 0,
            replayed: 0,
        };
        world.look_anew()?;
        world.open_slots()?;
        Ok(world)
    }

    pub fn holds_key(&self, slot: SlotId) -> bool {
        self.slot(slot).guest.is_some()
    }

    pub fn is_limited(&self, slot: SlotId) -> bool {
        self.slot(slot).guest.as_ref().is_some_and(|guest| guest.uses.is_some())
    }

    pub fn is_active(&self, slot: SlotId) -> bool {
        self.slot(slot).report.holding != Holding::Inactive
    }

    /// Begins an operation, and cuts the power at some moment of it.
    pub fn interrupt(&mut self, operation: Operation, moment: Moment) -> Outcome<CutShort> {
        self.pending = Pending::Nothing;
        let request = match operation {
            Operation::Challenge => {
                self.machine.cut()?;
                self.machine.boot()?;
                Connect::OPERATE.to_vec()
            }
            Operation::Activate(slot) => self.sign(Order::Activate { slot })?,
            Operation::Deactivate(slot) => self.sign(Order::Deactivate { slot })?,
            Operation::SetClock => {
                let to = Timestamp::from_unix_seconds(1_795_435_200);
                self.sign(Order::SetClock { to })?
            }
            Operation::Transfer => {
                let (to, service) = (*self.other().key(), self.cloud.key());
                self.sign(Order::Transfer { owner: to, service })?
            }
            Operation::Install(slot) => self.begin_install(slot)?,
            Operation::Rekey(slot) => self.begin_rekey(slot)?,
            Operation::Open(slot) => self.begin_open(slot)?,
            Operation::Reset => {
                self.machine.press_button(true)?;
                self.reset_message()?
            }
            Operation::Provision => {
                self.reset()?;
                let challenge = self.challenge(&Connect::OPERATE)?;
                self.lock = Unverified::<Challenge>::parse(&challenge)?.claims().lock;
                let (card, service, rng) = (self.card(), self.cloud.key(), &mut entropy());
                self.owners[self.owner].provision(&card, &challenge, service, rng)?.0.to_vec()
            }
        };
        let cut = self.machine.request_and_cut(&request, moment)?;
        if cut.answer.is_some() && Kind::of(&request)? != Kind::Connect {
            self.accepted.push(request);
        }
        if operation == Operation::Reset {
            self.machine.press_button(false)?;
        }
        Ok(cut)
    }

    fn reset_message(&mut self) -> Outcome<Vec<u8>> {
        let challenge = *Unverified::<Challenge>::parse(&self.challenge(&Connect::OPERATE)?)?.claims();
        Ok(FactoryReset::seal(&Ring, &self.card(), &challenge)?.to_vec())
    }

    /// A reset that nothing disturbs. Every key is dead.
    fn reset(&mut self) -> Outcome<()> {
        let message = self.reset_message()?;
        self.machine.press_button(true)?;
        self.machine.request_silent(&message, "reset")?;
        self.machine.press_button(false)?;
        self.bury_all();
        Ok(())
    }

    /// In the end every limited key is used until the lock says that its uses are spent.
    pub fn use_up(&mut self) -> Outcome<()> {
        for slot in played() {
            let Some(guest) = self.slot_mut(slot).guest.take() else { continue };
            if let Some(uses) = guest.uses {
                let mut opened = 0;
                let refused = loop {
                    match self.use_key(&guest.key, Action::Open)? {
                        Ok(()) => opened += 1,
                        Err(reason) => break reason,
                    }
                    ensure(opened <= uses, || "more uses than granted".into())?;
                };
                ensure(refused == LockError::UsesSpent.name(), || format!("refused: {refused}"))?;
                self.ledger.spent(&guest.device())?;
            }
            self.slot_mut(slot).guest = Some(guest);
        }
        Ok(())
    }

    /// What the lock says of each slot, with nothing compared: of a lock that nobody knows yet.
    fn look_anew(&mut self) -> Outcome<()> {
        self.bury_all();
        self.slots.clear();
        for slot in played() {
            let report = self.inspect(slot)?;
            ensure(report.holding == Holding::Inactive, || format!("a new owner finds slot {slot} in use"))?;
            self.slots.push(Slot { report, guest: None });
        }
        Ok(())
    }

    fn open_slots(&mut self) -> Outcome<()> {
        for slot in played() {
            self.order(Order::Activate { slot })?;
            self.slot_mut(slot).report = self.inspect(slot)?;
        }
        Ok(())
    }

    /// Every key of this ownership is dead.
    fn bury_all(&mut self) {
        let guests: Vec<Guest> = self.slots.iter_mut().filter_map(|slot| slot.guest.take()).collect();
        guests.into_iter().for_each(|guest| self.bury(guest));
    }

    fn bury(&mut self, guest: Guest) {
        self.ledger.goes(&guest.device());
        self.dead.push(guest.key);
    }

    fn card(&self) -> ActivationSecret {
        ActivationSecret::from_bytes(self.card)
    }

    fn other(&self) -> &Owner<Ring> {
        &self.owners[1 - self.owner]
    }

    fn slot(&self, slot: SlotId) -> &Slot {
        &self.slots[usize::from(slot.index())]
    }

    fn slot_mut(&mut self, slot: SlotId) -> &mut Slot {
        &mut self.slots[usize::from(slot.index())]
    }
}

fn played() -> impl Iterator<Item = SlotId> {
    (0..PLAYED).map(SlotId::new)
}

/// Makes a fresh lock the owner's.
fn provision(machine: &mut Machine, card: &[u8; 16], owner: &Owner<Ring>, cloud: &mut Cloud) -> Outcome<OwnedLock> {
    let challenge = machine.request(&Connect::OPERATE)?;
    let card = ActivationSecret::from_bytes(*card);
    let (message, pending) = owner.provision(&card, &challenge, cloud.key(), &mut entropy())?;
    let answer = machine.request(&message)?;
    let view = pending.finish(owner, &answer)?.put_new(None, saved)?;
    cloud.take(&answer)?;
    Ok(view)
}

/// A phone's disk, which does not fail.
fn saved(_view: &OwnedLock) -> Result<(), std::io::Error> {
    Ok(())
}

/// The state that a slot is in for its owner, where a share can be published.
fn is_free(view: &OwnedLock, slot: SlotId) -> bool {
    view.status(slot).state == Some(State::NotShared)
}
