//! What all states of one search share: the values behind their numbers, and the steps taken so far.

use std::sync::Arc;

use sharekey::crypto::Digest;
use sharekey::id::SlotId;
use sharekey_model::invariant::{Event, Ledger, Place, Violation};

pub use sharekey_stage::ops::For;

use super::cast::Cast;
use super::cloud::Cloud;
use super::intern::{Interner, Memo};
use super::lock::Flash;
use super::net::{Messages, Msg};
use super::phone::{Facts, Phone};
use super::reach::{Reached, Stats};
use super::scenario::{Order, Scenario};
use super::system::State;

/// What one party is given to act on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Input {
    // At the lock.
    Challenge(For),
    Reboot,
    Bundle {
        grant: Msg,
        claim: Msg,
        install: Msg,
        release: Msg,
    },
    Command(Msg),
    Unlock(Msg),
    // At a phone of the owner.
    Order {
        order: Order,
        slot: u8,
        challenge: Msg,
    },
    Finish(Msg),
    Learn(Msg),
    See(Msg),
    Share {
        subject: u8,
        slot: u8,
    },
    Withdraw {
        slot: u8,
        key: u8,
    },
    Adopt(Msg),
    // At the service, in the record of a slot.
    Serve {
        slot: u8,
        message: Msg,
    },
    Release {
        slot: u8,
        claim: Msg,
        install: Msg,
    },
    // At a guest's device, which is told by its place in the scenario.
    Ask {
        device: u8,
        grant: Msg,
        challenge: Msg,
    },
    MakeUnlock {
        receipt: Msg,
        release: Msg,
        challenge: Msg,
        slot: u8,
    },
    // In the attacker's hands.
    ForgeRelease(Msg),
    ForgeWithdrawn {
        withdraw: Msg,
        outcome: u8,
    },
    ForgeInstall {
        device: u8,
        claim: Msg,
        challenge: Msg,
    },
    ForgeCommand {
        order: Order,
        epoch: u8,
        challenge: Msg,
    },
    ForgeGrant {
        epoch: u8,
    },
    /// A report of the attacker's, as it reaches a phone: any signed message, or none, under any version.
    ForgeReport {
        slot: u8,
        version: u64,
        message: Option<Msg>,
    },
}

/// What a party did: how it stands then, what it sent, and what happened by that.
#[derive(Debug, Default)]
pub struct Step {
    pub next: u32,
    pub out: Vec<Msg>,
    /// The events, by their number.
    pub events: u32,
    /// Where the power goes after the write: how the party stands then, and what happened.
    pub cut: Option<(u32, u32)>,
    /// At the service: nothing changed but the version, and which install or answer the record gave last.
    pub repeated: bool,
    /// Something is wrong with the step itself.
    pub fault: Option<Violation>,
}

/// A step, or nothing where it changes nothing.
pub type Taken = Option<Arc<Step>>;

pub struct World {
    pub scenario: Scenario,
    pub cast: Cast,
    pub stats: Stats,
    pub msgs: Messages,
    pub locks: Interner<Flash>,
    pub phones: Interner<Phone>,
    pub clouds: Interner<Cloud>,
    pub ledgers: Interner<Ledger>,
    pub events: Interner<Vec<Event>>,
    pub steps: Memo<(u32, Input), Taken>,
    pub judged: Memo<(u32, u32), (u32, Option<Violation>)>,
    pub facts: Memo<u32, Arc<Facts>>,
    pub progressed: Memo<(u8, u32, u32, u32), Option<&'static str>>,
}

impl World {
    pub fn new(scenario: Scenario) -> Self {
        let world = Self {
            scenario,
            cast: Cast::new(Flash::make().id()),
            stats: Stats::default(),
            msgs: Messages::default(),
            locks: Interner::default(),
            phones: Interner::default(),
            clouds: Interner::default(),
            ledgers: Interner::default(),
            events: Interner::default(),
            steps: Memo::default(),
            judged: Memo::default(),
            facts: Memo::default(),
            progressed: Memo::default(),
        };
        assert_eq!(world.events.id(Vec::new()), 0, "no events are number 0");
        world
    }

    /// A world, and the state from which the search goes on. What happened on the way there is forgotten, so
    /// that no milestone counts which only the way reached.
    pub fn begun(scenario: Scenario) -> (Self, State) {
        let mut world = Self::new(scenario);
        let start = world.start();
        (world.steps, world.stats) = (Memo::default(), Stats::default());
        (world, start)
    }

    pub fn no_events(events: u32) -> bool {
        events == 0
    }

    /// The step of a party, computed by the shipping code the first time.
    pub fn step(&self, local: u32, input: Input) -> Taken {
        self.steps.get_or((local, input), |_| self.compute(local, input).map(Arc::new))
    }

    fn compute(&self, local: u32, input: Input) -> Option<Step> {
        match input {
            Input::Challenge(_) | Input::Reboot | Input::Bundle { .. } | Input::Command(_) | Input::Unlock(_) => {
                self.lock_step(local, input)
            }
            Input::Order { .. }
            | Input::Finish(_)
            | Input::Learn(_)
            | Input::See(_)
            | Input::Share { .. }
            | Input::Withdraw { .. }
            | Input::Adopt(_)
            | Input::ForgeReport { .. } => self.phone_step(local, input),
            Input::Serve { slot, message } => self.serve(local, slot, message),
            Input::Release { slot, claim, install } => self.release(local, slot, claim, install),
            Input::Ask { device, grant, challenge } => self.ask(device, grant, challenge),
            Input::MakeUnlock { receipt, release, challenge, slot } => {
                self.make_unlock(receipt, release, challenge, slot)
            }
            Input::ForgeRelease(_)
            | Input::ForgeWithdrawn { .. }
            | Input::ForgeInstall { .. }
            | Input::ForgeCommand { .. }
            | Input::ForgeGrant { .. } => self.forge(input),
        }
    }

    /// The ledger after these events, and what they break.
    pub fn judge(&self, ledger: u32, events: u32) -> (u32, Option<Violation>) {
        if Self::no_events(events) {
            return (ledger, None);
        }
        self.judged.get_or((ledger, events), |_| {
            let mut next = Ledger::clone(&self.ledgers.get(ledger));
            let broken = self.events.get(events).iter().find_map(|event| next.observe(event).err());
            (self.ledgers.id(next), broken)
        })
    }

    pub fn happened(&self, events: Vec<Event>) -> u32 {
        self.events.id(events)
    }

    pub fn note(&self, reached: Reached) {
        self.stats.reached(reached);
    }

    pub fn place(&self, epoch: sharekey::counter::Epoch, slot: SlotId) -> Place {
        Place { lock: self.cast.lock, epoch, slot }
    }

    pub fn put(&self, message: &[u8]) -> Msg {
        self.msgs.put(message)
    }

    pub fn digest(&self, message: Msg) -> Digest {
        self.msgs.digest(message)
    }
}
