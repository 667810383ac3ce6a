//! Every operation that is staged, about to be tried at a stand, told apart by nothing but what it is, so that one test
//! can hold all of them to the same rule.

use sharekey::counter::Generation;
use sharekey::crypto::Nonce;
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::lock::{Accepted, Ownership, Pending, Record, Refusal, purpose};
use sharekey::message::{Operation, Refused, SlotReport};

use super::cells::uses;
use super::firmware::{self, AnySession, Forget, Outcome, Waiting};
use super::forge;
use super::ops::{For, Op, Order, Sent, To, With};
use super::provider::{Plain, Provider};
use super::stand::{CARD, Key, NOON, OWNER, SERVICE, Stand};
use super::store::Store;
use super::{public, seed};

/// Which slot an operation is about.
pub const SLOT: SlotId = SlotId::new(0);

fn ordered(order: Order) -> Operation {
    order.with(&With {
        slot: SLOT,
        generation: Generation::new(8),
        owner: public(&seed(OWNER)),
        service: public(&seed(SERVICE)),
        time: Timestamp::from_unix_seconds(NOON - 60),
        action: Action::Open,
    })
}

/// A lock at which one operation is about to be tried. The same for every `Ready` of an operation,
/// down to the entropy.
pub struct Ready<C: Plain = Provider> {
    pub op: Op,
    pub stand: Stand<C>,
    /// What opens its slot.
    key: Option<Key>,
    /// What will be sent, without an authenticator.
    pub frame: Vec<u8>,
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
    fn now<T: Outcome>(&mut self, staged: Accepted<'_, T>, store: &mut Store) -> Option<(Option<Record>, Pending<T>)>;

    /// Ends one that was taken off the lock.
    fn later<C: Plain>(&mut self, _stand: &mut Stand<C>, _record: Option<Record>, _pending: Waiting) {}
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

impl<C: Plain> Stand<C> {
    pub fn view(&mut self) -> View {
        let (store, reports) = self.snapshot();
        let now = self.now();
        let next = self.lock.challenge::<purpose::Install>(now, &mut super::rng(1));
        let leases = next.map(|staged| staged.record().is_some());
        View { store, owner: self.lock.ownership(), reports, leases }
    }
}

/// A lock with a key in slot 0 that has the limits which the operation asks for.
fn installed<C: Plain>(op: Op) -> (Stand<C>, Key) {
    let limits = if op == Op::LimitedUnlock { uses(3) } else { Limits::NONE };
    Stand::made_by(C::default(), 7).with_key(Rights::OPEN_AND_LOCK, limits)
}

impl Ready {
    pub fn new(op: Op) -> Self {
        Self::under(op)
    }
}

impl<C: Plain> Ready<C> {
    /// At a lock under this provider.
    pub fn under(op: Op) -> Self {
        let stand = match op {
            Op::Provision => Stand::made_by(C::default(), 7),
            Op::Lease => {
                let mut stand = installed(op).0;
                stand.reboot();
                stand
            }
            _ => {
                let mut stand = installed(op).0;
                // Slot 1 is where work goes on while slot 0 is held.
                stand.activate(1, 1);
                stand
            }
        };
        Self::of(op, stand)
    }

    /// The same at a lock that has been through something.
    pub fn of(op: Op, stand: Stand<C>) -> Self {
        // Installing again with the same entropy gives the key back.
        let key = (op.to() == Some(To::Unlock)).then(|| installed::<C>(op).1);
        let mut ready = Self { op, stand, key, frame: Vec::new(), message: Vec::new(), attempt: None, other: None };
        if op != Op::Lease {
            let purpose = if op == Op::Install { For::Operate } else { For::Install };
            ready.other = Some(ready.stand.connect(purpose).1);
        }
        let _ = ready.again();
        ready
    }

    /// Somebody connects once more, and the message is made for the new session. Gives the session before, with what
    /// was to be sent in it.
    pub fn again(&mut self) -> (Option<AnySession>, Vec<u8>) {
        let Some(to) = self.op.to() else { return (None, Vec::new()) };
        let (nonce, session) = self.stand.connect(to.purpose());
        self.frame = self.framed(nonce);
        let message = self.seal(self.frame.clone());
        (self.attempt.replace(session), std::mem::replace(&mut self.message, message))
    }

    fn framed(&self, nonce: Nonce) -> Vec<u8> {
        match (self.op.row().sent, self.key) {
            (Sent::Command(order), _) => forge::frame(&self.stand.command_body(nonce, ordered(order))),
            (Sent::To(To::Install), _) => self.stand.chain(nonce, 0, 3).bundle(),
            (Sent::To(To::Provision), _) => forge::frame(&self.stand.provision_body(nonce)),
            (Sent::To(To::Reset), _) => forge::frame(&self.stand.reset_body(nonce)),
            (Sent::To(To::Unlock), Some(key)) => forge::frame(&key.unlock(Action::Open, nonce)),
            (sent, _) => panic!("{:?}: nobody made ready what is sent: {sent:?}", self.op),
        }
    }

    /// The frame with the authenticator of who may ask for the operation; a bundle has those of its parts.
    pub fn seal(&self, frame: Vec<u8>) -> Vec<u8> {
        match (self.op.to(), self.key) {
            (Some(To::Command), _) => forge::sign(frame, &seed(OWNER)),
            (Some(To::Provision | To::Reset), _) => forge::tag(frame, &CARD),
            (_, Some(key)) => forge::tag(frame, &key.pairing),
            (..) => frame,
        }
    }

    /// The lock refuses this where the message was to be sent, opaquely and with nothing changed. Gives why, with the
    /// next session open.
    #[track_caller]
    pub fn refused(&mut self, message: &[u8]) -> LockError {
        let session = self.attempt.take().unwrap();
        let error = self.refused_in(session, message);
        let _ = self.again();
        error
    }

    /// The same in another session.
    #[track_caller]
    pub fn refused_in(&mut self, session: AnySession, message: &[u8]) -> LockError {
        let refusal = self.stand.unchanged_by((session, self.op.to().unwrap()), message);
        assert_eq!(refusal.answer(), Refused::OPAQUE, "{:?}: {refusal}", self.op);
        refusal.error()
    }

    /// Stages the operation, which must be accepted, and ends it as told. Gives the lock, and the
    /// session that was not used.
    pub fn end(self, finish: &mut impl Finish) -> (Stand<C>, Option<AnySession>) {
        self.attempt(finish).unwrap()
    }

    /// The same of an operation that may be refused.
    ///
    /// # Errors
    /// Why it is.
    pub fn attempt(self, finish: &mut impl Finish) -> Result<(Stand<C>, Option<AnySession>), LockError> {
        let Self { op, mut stand, message, attempt, other, .. } = self;
        end(&mut stand, op, &message, attempt, finish).map_err(|refusal| refusal.error())?;
        Ok((stand, other))
    }

    /// Sends the same message again, in a new session; gives why it is refused.
    pub fn replay(op: Op, stand: &mut Stand<C>, message: &[u8]) -> LockError {
        let (_, session) = stand.connect(op.to().unwrap().purpose());
        end(stand, op, message, Some(session), &mut Forget).unwrap_err().error()
    }
}

impl Finish for Forget {
    fn now<T: Outcome>(&mut self, staged: Accepted<'_, T>, _: &mut Store) -> Option<(Option<Record>, Pending<T>)> {
        drop(staged);
        None
    }
}

/// Writes the record, and keeps the answer.
#[derive(Default)]
pub struct Commit(pub Vec<u8>);

impl Finish for Commit {
    fn now<T: Outcome>(&mut self, staged: Accepted<'_, T>, store: &mut Store) -> Option<(Option<Record>, Pending<T>)> {
        self.0 = staged.commit(|record| store.put(record)).unwrap().output().answer().to_vec();
        None
    }
}

/// Ends what was staged as `finish` says, once it is seen to write what the table says.
struct Checked<'s, F> {
    op: Op,
    finish: &'s mut F,
    store: &'s mut Store,
}

impl<F: Finish> firmware::Finish for Checked<'_, F> {
    type Out = Option<(Option<Record>, Waiting)>;

    fn finish<T: Outcome>(&mut self, staged: Accepted<'_, T>) -> Self::Out {
        let Self { op, finish, store } = self;
        assert_eq!(staged.cell(), op.cell(SLOT), "{op:?}");
        assert_eq!(staged.record().map(Record::cell), op.written(SLOT), "{op:?}");
        finish.now(staged, store).map(|(record, pending)| (record, T::waiting(pending)))
    }
}

fn end<C: Plain>(
    stand: &mut Stand<C>,
    op: Op,
    message: &[u8],
    attempt: Option<AnySession>,
    finish: &mut impl Finish,
) -> Result<(), Refusal> {
    let now = stand.now();
    let Stand { lock, store, rng, .. } = stand;
    let mut checked = Checked { op, finish, store };
    let later = match (attempt, op.to()) {
        (Some(session), Some(to)) => firmware::send(lock, (session, to), message, now, rng, &mut checked)?,
        _ => firmware::challenge(lock, For::Operate, now, rng, &mut checked).unwrap(),
    };
    if let Some((record, pending)) = later {
        finish.later(stand, record, pending);
    }
    Ok(())
}
