//! Every operation that is staged, told apart by nothing but what it is, so that one test can hold
//! all of them to the same rule.

use sharekey::counter::Generation;
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::lock::{Cell, Ownership, Pending, Record, Refusal, Staged, purpose};
use sharekey::message::{Operation, SlotReport};

use super::cells::{SLOT_0, transfer, uses};
use super::firmware::{self, AnySession, For, Forget, Outcome, To, Waiting};
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

    /// The call of the lock that its message is given to.
    pub fn to(self) -> To {
        match self {
            Self::Provision | Self::ProvisionAgain => To::Provision,
            Self::Install => To::Install,
            Self::Unlock | Self::LimitedUnlock => To::Unlock,
            Self::FactoryReset => To::Reset,
            _ => To::Command,
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
    /// The session that the operation uses; a challenge uses none.
    attempt: Option<AnySession>,
    /// A session for the other purpose, open as well.
    pub other: Option<AnySession>,
}

/// What becomes of a staged operation.
pub trait Finish {
    /// Ends it at once, or takes it off the lock.
    fn now<T: Outcome>(&mut self, staged: Staged<'_, T>, store: &mut Store) -> Option<(Option<Record>, Pending<T>)>;

    /// Ends one that was taken off the lock.
    fn later(&mut self, _stand: &mut Stand, _record: Option<Record>, _pending: Waiting) {}
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
            return Self { op, stand, message: Vec::new(), attempt: None, other: None };
        }
        if op == Op::Install {
            let (nonce, session) = stand.for_install();
            let message = stand.chain(nonce, 0, 3).bundle();
            let other = Some(AnySession::Operate(stand.operate().1));
            return Self { op, stand, message, attempt: Some(AnySession::Install(session)), other };
        }
        let other = Some(AnySession::Install(stand.for_install().1));
        if op == Op::Challenge {
            return Self { op, stand, message: Vec::new(), attempt: None, other };
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
        Self { op, stand, message, attempt: Some(AnySession::Operate(session)), other }
    }

    /// Stages the operation, which must be accepted, and ends it as told. Gives the lock, and the
    /// session that was not used.
    pub fn end(self, finish: &mut impl Finish) -> (Stand, Option<AnySession>) {
        let Self { op, mut stand, message, attempt, other } = self;
        end(&mut stand, op, &message, attempt, finish).unwrap();
        (stand, other)
    }

    /// Sends the same message again, in a new session; gives why it is refused.
    pub fn replay(op: Op, stand: &mut Stand, message: &[u8]) -> LockError {
        let attempt = match op {
            Op::Install => AnySession::Install(stand.for_install().1),
            _ => AnySession::Operate(stand.operate().1),
        };
        end(stand, op, message, Some(attempt), &mut Forget).unwrap_err().error()
    }
}

impl Finish for Forget {
    fn now<T: Outcome>(&mut self, staged: Staged<'_, T>, _: &mut Store) -> Option<(Option<Record>, Pending<T>)> {
        drop(staged);
        None
    }
}

fn limits(op: Op) -> Limits {
    if op == Op::LimitedUnlock { uses(3) } else { Limits::NONE }
}

/// Ends what was staged as `finish` says, once it is seen to write what the table says.
struct Checked<'s, F> {
    op: Op,
    finish: &'s mut F,
    store: &'s mut Store,
}

impl<F: Finish> firmware::Finish for Checked<'_, F> {
    type Out = Option<(Option<Record>, Waiting)>;

    fn finish<T: Outcome>(&mut self, staged: Staged<'_, T>) -> Self::Out {
        let Self { op, finish, store } = self;
        assert_eq!(staged.record().map(Record::cell), op.writes().then(|| op.cell()), "{op:?}");
        finish.now(staged, store).map(|(record, pending)| (record, T::waiting(pending)))
    }
}

fn end(
    stand: &mut Stand,
    op: Op,
    message: &[u8],
    attempt: Option<AnySession>,
    finish: &mut impl Finish,
) -> Result<(), Refusal> {
    let now = stand.now();
    let Stand { lock, store, rng, .. } = stand;
    let mut checked = Checked { op, finish, store };
    let later = match attempt {
        None => firmware::challenge(lock, For::Operate, now, rng, &mut checked).unwrap(),
        Some(session) => firmware::send(lock, (session, op.to()), message, now, rng, &mut checked)?,
    };
    if let Some((record, pending)) = later {
        finish.later(stand, record, pending);
    }
    Ok(())
}
