//! Every operation that is staged, told apart by nothing but what it is, so that one test can hold
//! all of them to the same rule.

use sharekey::counter::Generation;
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::lock::{Cell, Ownership, Pending, PhysicalPresence, Record, Refusal, Session, Staged, purpose};
use sharekey::message::{Operation, SlotReport};

use super::cells::{SLOT_0, transfer, uses};
use super::forge;
use super::stand::{CARD, NOON, Stand};
use super::store::Store;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// The first challenge after boot.
    Lease,
    /// Any later one.
    Challenge,
    Provision,
    /// The same keys again, for a lost answer.
    ProvisionAgain,
    Activate,
    Deactivate,
    Transfer,
    SetClock,
    Act,
    Inspect,
    Install,
    LimitedUnlock,
    Unlock,
    FactoryReset,
}

impl Op {
    pub const ALL: [Self; 14] = [
        Self::Lease,
        Self::Challenge,
        Self::Provision,
        Self::ProvisionAgain,
        Self::Activate,
        Self::Deactivate,
        Self::Transfer,
        Self::SetClock,
        Self::Act,
        Self::Inspect,
        Self::Install,
        Self::LimitedUnlock,
        Self::Unlock,
        Self::FactoryReset,
    ];

    /// Those that write a record.
    pub fn writing() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|op| op.writes())
    }

    pub fn writes(self) -> bool {
        !matches!(self, Self::Challenge | Self::ProvisionAgain | Self::Act | Self::Inspect | Self::Unlock)
    }

    /// The cell that it writes, or needs to stay as it is.
    pub fn cell(self) -> Cell {
        match self {
            Self::Lease | Self::Challenge | Self::SetClock => Cell::Counter,
            Self::Provision | Self::ProvisionAgain | Self::Transfer | Self::Act => Cell::Header,
            Self::FactoryReset => Cell::Seed,
            Self::Activate | Self::Deactivate | Self::Inspect => SLOT_0,
            Self::Install | Self::LimitedUnlock | Self::Unlock => SLOT_0,
        }
    }

    fn command(self) -> Option<Operation> {
        let (slot, generation) = (SlotId::new(0), Generation::new(8));
        Some(match self {
            Self::Activate => Operation::Activate { slot, generation },
            Self::Deactivate => Operation::Deactivate { slot, generation },
            Self::Transfer => transfer(),
            Self::SetClock => Operation::SetClock { to: Timestamp::from_unix_seconds(NOON - 60) },
            Self::Act => Operation::Act { action: Action::Open },
            Self::Inspect => Operation::Inspect { slot },
            _ => return None,
        })
    }
}

/// A lock at which one operation is about to be tried. The same for every `Ready` of an operation,
/// down to the entropy.
pub struct Ready {
    pub op: Op,
    pub stand: Stand,
    /// What will be sent.
    pub message: Vec<u8>,
    /// The session that the operation uses.
    attempt: Attempt,
    /// A session for the other purpose, open as well.
    pub other: Other,
}

pub enum Other {
    None,
    Operate(Session<purpose::Operate>),
    Install(Session<purpose::Install>),
}

enum Attempt {
    Challenge,
    Operate(Session<purpose::Operate>),
    Install(Session<purpose::Install>),
}

/// What becomes of a staged operation.
pub trait Finish {
    /// Ends it at once, or takes it off the lock.
    fn now<T>(&mut self, staged: Staged<'_, T>, store: &mut Store) -> Option<(Option<Record>, Pending<T>)>;

    /// Ends one that was taken off the lock.
    fn later<T>(&mut self, _stand: &mut Stand, _record: Option<Record>, _pending: Pending<T>) {}
}

/// Everything that a staged operation can change, as far as the lock tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    pub store: Store,
    pub owner: Result<Ownership, LockError>,
    pub reports: Vec<Result<SlotReport, LockError>>,
    /// Whether the next challenge raises the counter's ceiling.
    pub leases: Result<bool, LockError>,
}

impl Stand {
    pub fn view(&mut self) -> View {
        let (store, reports) = self.snapshot();
        let now = self.now();
        let next = self.lock.challenge::<purpose::Install>(now, &mut super::rng(1));
        let leases = next.map(|staged| staged.record().is_some());
        View { store, owner: self.lock.ownership(), reports, leases }
    }
}

impl Ready {
    pub fn new(op: Op) -> Self {
        let mut stand = match op {
            Op::Provision => Stand::fresh(),
            _ => Stand::installed_with(Rights::OPEN_AND_LOCK, limits(op)).0,
        };
        match op {
            Op::Lease => stand.reboot(),
            Op::Provision => {}
            // Slot 1 is where work goes on while slot 0 is held.
            _ => stand.activate(1, 1),
        }
        Self::of(op, stand)
    }

    /// The same at a lock that has been through something.
    pub fn of(op: Op, mut stand: Stand) -> Self {
        if op == Op::Lease {
            return Self { op, stand, message: Vec::new(), attempt: Attempt::Challenge, other: Other::None };
        }
        if op == Op::Install {
            let (nonce, session) = stand.for_install();
            let message = stand.chain(nonce, 0, 3).bundle();
            let other = Other::Operate(stand.operate().1);
            return Self { op, stand, message, attempt: Attempt::Install(session), other };
        }
        let other = Other::Install(stand.for_install().1);
        if op == Op::Challenge {
            return Self { op, stand, message: Vec::new(), attempt: Attempt::Challenge, other };
        }
        // Installing again with the same entropy gives the key back.
        let key = matches!(op, Op::Unlock | Op::LimitedUnlock)
            .then(|| Stand::installed_with(Rights::OPEN_AND_LOCK, limits(op)).1);
        let (nonce, session) = stand.operate();
        let message = match (op.command(), key) {
            (Some(operation), _) => stand.order(nonce, operation),
            (None, Some(key)) => key.message(Action::Open, nonce),
            (None, None) if matches!(op, Op::Provision | Op::ProvisionAgain) => {
                forge::tagged(&stand.provision_body(nonce), &CARD)
            }
            (None, None) => stand.reset_message(nonce),
        };
        Self { op, stand, message, attempt: Attempt::Operate(session), other }
    }

    /// Stages the operation, which must be accepted, and ends it as told. Gives the lock, and the
    /// session that was not used.
    pub fn end(self, finish: &mut impl Finish) -> (Stand, Other) {
        let Self { op, mut stand, message, attempt, other } = self;
        end(&mut stand, op, &message, attempt, finish).unwrap();
        (stand, other)
    }

    /// Sends the same message again, in a new session; gives why it is refused.
    pub fn replay(op: Op, stand: &mut Stand, message: &[u8]) -> LockError {
        let attempt = match op {
            Op::Install => Attempt::Install(stand.for_install().1),
            _ => Attempt::Operate(stand.operate().1),
        };
        end(stand, op, message, attempt, &mut Forget).unwrap_err().error()
    }
}

/// Stages an operation and drops it.
pub struct Forget;

impl Finish for Forget {
    fn now<T>(&mut self, staged: Staged<'_, T>, _: &mut Store) -> Option<(Option<Record>, Pending<T>)> {
        drop(staged);
        None
    }
}

fn limits(op: Op) -> Limits {
    if op == Op::LimitedUnlock { uses(3) } else { Limits::NONE }
}

fn end(stand: &mut Stand, op: Op, message: &[u8], attempt: Attempt, finish: &mut impl Finish) -> Result<(), Refusal> {
    let now = stand.now();
    macro_rules! finish {
        ($staged:expr) => {{
            let staged = $staged;
            assert_eq!(staged.record().map(Record::cell), op.writes().then(|| op.cell()), "{op:?}");
            let later = finish.now(staged, &mut stand.store);
            if let Some((record, pending)) = later {
                finish.later(stand, record, pending);
            }
        }};
    }
    match (op, attempt) {
        (_, Attempt::Challenge) => {
            finish!(stand.lock.challenge::<purpose::Operate>(now, &mut stand.rng).unwrap());
        }
        (_, Attempt::Install(session)) => {
            finish!(stand.lock.install(session, message, now, &mut stand.rng)?);
        }
        (Op::Provision | Op::ProvisionAgain, Attempt::Operate(session)) => {
            finish!(stand.lock.provision(session, message, now)?)
        }
        (Op::Unlock | Op::LimitedUnlock, Attempt::Operate(session)) => {
            finish!(stand.lock.unlock(session, message, now)?);
        }
        (Op::FactoryReset, Attempt::Operate(session)) => {
            let presence = PhysicalPresence::button_is_pressed();
            finish!(stand.lock.factory_reset(session, message, presence, now, &mut stand.rng)?);
        }
        (_, Attempt::Operate(session)) => finish!(stand.lock.command(session, message, now)?),
    }
    Ok(())
}
