//! The states, and what can happen in each: the model that stateright searches.

use std::sync::Arc;

use sharekey_model::invariant::{Invariant, Violation};
use stateright::{Model, Property};

use super::net::{Net, REPORT};
use super::rules;
use super::world::{Input, Step, World};

/// Everything that lasts, each part told by its number.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct State {
    pub lock: u32,
    pub cloud: u32,
    pub phones: [u32; 2],
    /// What another instance of the service has read, and not decided on yet.
    pub read: Option<u32>,
    pub net: Net,
    pub ledger: u32,
    pub fault: Option<Violation>,
}

/// Who does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    Lock,
    /// The lock, whose power goes after the write.
    LockCut,
    Phone(u8),
    Service,
    /// The other instance of the service reads the record.
    OtherReads,
    /// It decides on what it read.
    OtherWrites,
    /// A guest's device, or the attacker.
    Sender,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Action {
    pub who: Who,
    pub input: Input,
}

/// A world, and where in it the search begins.
pub struct System(pub Arc<World>, pub State);

impl State {
    fn after(&self, world: &World, step: &Step, events: u32) -> Self {
        let (ledger, broken) = world.judge(self.ledger, events);
        let net = self.net.with(&step.out).unwrap_or_else(|| self.net.clone());
        Self { ledger, net, fault: self.fault.or(step.fault).or(broken), ..self.clone() }
    }
}

impl World {
    /// The state after an action, or none where it changes nothing.
    pub fn take(&self, state: &State, action: Action) -> Option<State> {
        let Action { who, input } = action;
        let next = match who {
            Who::Lock => {
                let step = self.step(state.lock, input)?;
                State { lock: step.next, ..state.after(self, &step, step.events) }
            }
            Who::LockCut => {
                let step = self.step(state.lock, input)?;
                let (lock, events) = step.cut?;
                let silent = Step { fault: step.fault, ..Step::default() };
                State { lock, ..state.after(self, &silent, events) }
            }
            Who::Phone(which) => {
                let step = self.step(state.phones[usize::from(which)], input)?;
                let mut next = state.after(self, &step, step.events);
                next.phones[usize::from(which)] = step.next;
                next
            }
            Who::Service => {
                let step = self.step(state.cloud, input)?;
                if is_repetition(state, &step) {
                    return None;
                }
                State { cloud: step.next, ..state.after(self, &step, step.events) }
            }
            Who::OtherReads => State { read: Some(state.cloud), ..state.clone() },
            Who::OtherWrites => return self.other_writes(state, input),
            Who::Sender => {
                let step = self.step(0, input)?;
                state.after(self, &step, step.events)
            }
        };
        (next != *state).then_some(next)
    }

    /// What the other instance decided on the record that it read, if the store takes it.
    fn other_writes(&self, state: &State, input: Input) -> Option<State> {
        let step = self.step(state.read?, input)?;
        let (Input::Serve { slot, .. } | Input::Release { slot, .. }) = input else { return None };
        let (present, read, decided) =
            (self.clouds.get(state.cloud), self.clouds.get(state.read?), self.clouds.get(step.next));
        let news = Some(step.next) != state.read && !is_repetition(state, &step);
        let Some(stored) = present.swapped(slot, &read, &decided).filter(|_| news) else {
            let mut reached = super::reach::Reached::default();
            reached.add(super::reach::Milestone::StaleWriteRefused);
            self.note(reached);
            return None;
        };
        let cloud = self.clouds.id(stored);
        Some(State { cloud, read: None, ..state.after(self, &step, step.events) })
    }

    /// Whether no phone shows what the ledger says is not so.
    pub fn judge_views(&self, state: &State) -> Result<(), Violation> {
        let ledger = self.ledgers.get(state.ledger);
        let listening = state.phones.iter().filter(|phone| **phone != u32::MAX);
        listening
            .copied()
            .try_for_each(|phone| self.facts(phone).views.iter().try_for_each(|view| ledger.judge_view(view)))
    }
}

/// A request repeated, whose answer is known: an attacker could go on so for ever.
fn is_repetition(state: &State, step: &Step) -> bool {
    step.repeated && step.out.iter().all(|msg| msg.kind() == REPORT || state.net.has(*msg))
}

/// One property an invariant, so that a discovery says which.
macro_rules! properties {
    ($($invariant:ident),*) => {
        vec![$(Property::always(stringify!($invariant), |system: &System, state: &State| {
            holds(system, state, Invariant::$invariant)
        })),*]
    };
}

fn holds(system: &System, state: &State, invariant: Invariant) -> bool {
    let world = &system.0;
    match invariant {
        Invariant::Progress if world.scenario.progress && state.fault.is_none() => world.progress(state).is_ok(),
        Invariant::Progress => true,
        Invariant::Proof | Invariant::HonestView if state.fault.is_none() => {
            !world.judge_views(state).is_err_and(|broken| broken.invariant == invariant)
        }
        _ => state.fault.is_none_or(|fault| fault.invariant != invariant),
    }
}

impl Model for System {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.1.clone()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.fault.is_none() {
            self.0.actions(state, actions);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let rule = rules::of(&action);
        self.0.stats.tried(rule);
        let next = self.0.take(state, action)?;
        self.0.stats.fired(rule);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties![
            Entry,
            Overwrite,
            Replay,
            Revocation,
            Release,
            OneDevice,
            Proof,
            Deactivation,
            Epoch,
            Isolation,
            Power,
            Progress,
            HonestView,
            Uses,
            Takeover
        ]
    }
}
