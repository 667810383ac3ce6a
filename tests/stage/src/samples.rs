//! Bodies of every kind, in every shape: each `Option` there and not, each variant of each enum. They need belong to no
//! story, and no key stands behind them: those of the vectors, which do, are their own.

use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{AgreementKey, Digest, Nonce, PublicKey, Signature, Tag};
use sharekey::error::RefuseReason;
use sharekey::id::{LockId, SlotCount, SlotId};
use sharekey::limits::{Action, Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::message::{
    Battery, Challenge, Claim, Command, Completed, Connect, ConnectFor, Done, FactoryReset, FindRequest, Grant,
    Holding, Install, LockTime, Operation, Outcome, Provision, Provisioned, Receipt, RefusedBody, Release, Reply,
    Report, ReportRequest, SlotReport, Unlock, Withdraw, Withdrawn, WithdrawnOutcome,
};
use sharekey::slot::State;
use sharekey::wire::{Authenticator, Message};

use super::forge::frame;
use super::ops::{Order, With, completed};

/// Hands every kind that has a body of its own, all but the bundle, on to a macro: `$then! { $more KIND BODY, … }`.
#[macro_export]
macro_rules! every_body {
    ($then:ident! $more:tt) => {
        $then! { $more
            Grant sharekey::message::Grant,
            Withdraw sharekey::message::Withdraw,
            Withdrawn sharekey::message::Withdrawn,
            Claim sharekey::message::Claim,
            Challenge sharekey::message::Challenge,
            Install sharekey::message::Install,
            Release sharekey::message::Release,
            Receipt sharekey::message::Receipt,
            Unlock sharekey::message::Unlock,
            Reply sharekey::message::Reply,
            Command sharekey::message::Command,
            Done sharekey::message::Done,
            Refused sharekey::message::RefusedBody,
            Provision sharekey::message::Provision,
            Provisioned sharekey::message::Provisioned,
            FactoryReset sharekey::message::FactoryReset,
            Connect sharekey::message::Connect,
            ReportRequest sharekey::message::ReportRequest,
            Report sharekey::message::Report,
            FindRequest sharekey::message::FindRequest,
        }
    };
}

/// A whole message; the authenticator is zeros, for decoding does not look at it.
pub fn message<T: Message>(body: &T) -> Vec<u8> {
    let mut bytes = frame(body);
    bytes.resize(bytes.len() + T::Auth::LEN, 0);
    bytes
}

/// How large the numbers are.
#[derive(Clone, Copy)]
pub enum Size {
    /// The lowest of each.
    Low,
    /// The highest of each.
    High,
}

impl Size {
    fn byte(self) -> u8 {
        match self {
            Self::Low => 0,
            Self::High => 0xff,
        }
    }

    fn pick<T>(self, low: T, high: T) -> T {
        match self {
            Self::Low => low,
            Self::High => high,
        }
    }

    fn lock(self) -> LockId {
        LockId::new(self.key())
    }

    fn key(self) -> PublicKey {
        PublicKey::from_bytes([self.byte(); 32])
    }

    fn agreement(self) -> AgreementKey {
        AgreementKey::from_bytes([self.byte(); 32])
    }

    fn digest(self) -> Digest {
        Digest::from_bytes([self.byte(); 32])
    }

    fn nonce(self) -> Nonce {
        Nonce::from_bytes([self.byte(); 16])
    }

    fn tag(self) -> Tag {
        Tag::from_bytes([self.byte(); 16])
    }

    fn signature(self) -> Signature {
        Signature::from_bytes([self.byte(); 64])
    }

    fn slot(self) -> SlotId {
        SlotId::new(self.byte())
    }

    fn epoch(self) -> Epoch {
        self.pick(Epoch::ZERO, Epoch::MAX)
    }

    fn generation(self) -> Generation {
        self.pick(Generation::ZERO, Generation::MAX)
    }

    fn time(self) -> Timestamp {
        Timestamp::from_unix_seconds(self.pick(0, u64::MAX))
    }

    fn by(self) -> Term {
        self.pick(Term::OWNER, Term::MAX)
    }

    fn battery(self) -> Battery {
        self.pick(Battery::at(0), Battery::UNKNOWN)
    }

    fn slots(self) -> SlotCount {
        self.pick(SlotCount::new(1).unwrap(), SlotCount::MAX)
    }

    fn offset(self) -> UtcOffset {
        UtcOffset::from_minutes(self.pick(-720, 840)).unwrap()
    }

    fn action(self) -> Action {
        self.pick(Action::Open, Action::Lock)
    }

    fn schedule(self, changes: bool) -> Schedule {
        let next = changes.then(|| OffsetChange { at: self.time(), offset: self.offset() });
        let (start, end) = self.pick((0, 1), (1439, 1440));
        Schedule::new(self.pick(Weekdays::try_from(1).unwrap(), Weekdays::ALL), start, end, self.offset(), next)
            .unwrap()
    }

    /// Every combination of limits.
    fn limits(self) -> Vec<Limits> {
        let (first, last) = self.pick((0, 1), (u64::MAX - 1, u64::MAX));
        let mut all = Vec::new();
        for from in [None, Some(Timestamp::from_unix_seconds(first))] {
            for until in [None, Some(Timestamp::from_unix_seconds(last))] {
                for schedule in [None, Some(self.schedule(false)), Some(self.schedule(true))] {
                    for uses in [None, Some(self.pick(1, u32::MAX))] {
                        all.push(Limits::new(from, until, schedule, uses).unwrap());
                    }
                }
            }
        }
        all
    }

    fn withdraw(self) -> Withdraw {
        Withdraw {
            lock: self.lock(),
            epoch: self.epoch(),
            by: self.by(),
            slot: self.slot(),
            generation: self.generation(),
            grant: self.digest(),
        }
    }

    fn operations(self) -> Vec<Operation> {
        let (slot, generation, owner, service) = (self.slot(), self.generation(), self.key(), self.key());
        let with = With { slot, generation, owner, service, time: self.time(), action: self.action() };
        Order::ALL.map(|order| order.with(&with)).into()
    }

    fn reports(self) -> Vec<SlotReport> {
        [Holding::Inactive, Holding::Empty, Holding::Installed { grant: self.digest(), device: self.key() }]
            .map(|holding| SlotReport { floor: self.generation(), holding })
            .into()
    }

    /// Each operation, with each report of the slot where it is about one.
    fn completed(self) -> Vec<Completed> {
        let of = |operation: &Operation| {
            let reports = if operation.slot().is_some() { 3 } else { 1 };
            self.reports()
                .into_iter()
                .take(reports)
                .map(|report| completed(operation, self.slots(), &report))
                .collect::<Vec<_>>()
        };
        self.operations().iter().flat_map(of).collect()
    }
}

/// A kind with its samples.
pub trait Samples: Message + PartialEq + core::fmt::Debug {
    /// A body of every shape, in the same order for either size.
    fn samples(size: Size) -> Vec<Self>;
}

impl Samples for Grant {
    fn samples(size: Size) -> Vec<Self> {
        let rights = size.pick(Rights::OPEN, Rights::OPEN_AND_LOCK);
        let grant = |limits| Self {
            lock: size.lock(),
            epoch: size.epoch(),
            by: size.by(),
            slot: size.slot(),
            generation: size.generation(),
            subject: size.key(),
            rights,
            limits,
        };
        size.limits().into_iter().map(grant).collect()
    }
}

impl Samples for Withdraw {
    fn samples(size: Size) -> Vec<Self> {
        vec![size.withdraw()]
    }
}

impl Samples for Withdrawn {
    fn samples(size: Size) -> Vec<Self> {
        [
            WithdrawnOutcome::NeverReleased,
            WithdrawnOutcome::Released { install: size.digest() },
            WithdrawnOutcome::Settled,
        ]
        .map(|outcome| Self { withdraw: size.withdraw(), withdraw_signature: size.signature(), outcome })
        .into()
    }
}

impl Samples for Claim {
    fn samples(size: Size) -> Vec<Self> {
        vec![Self { grant: size.digest(), device: size.key() }]
    }
}

impl Samples for Challenge {
    fn samples(size: Size) -> Vec<Self> {
        vec![Self { lock: size.lock(), nonce: size.nonce() }]
    }
}

impl Samples for Install {
    fn samples(size: Size) -> Vec<Self> {
        vec![Self { claim: size.digest(), nonce: size.nonce(), agreement: size.agreement() }]
    }
}

impl Samples for Release {
    fn samples(size: Size) -> Vec<Self> {
        vec![Self { install: size.digest() }]
    }
}

impl Samples for Receipt {
    fn samples(size: Size) -> Vec<Self> {
        vec![Self {
            install: size.digest(),
            lock: size.lock(),
            epoch: size.epoch(),
            slot: size.slot(),
            generation: size.generation(),
            grant: size.digest(),
            device: size.key(),
            agreement: size.agreement(),
        }]
    }
}

impl Samples for Unlock {
    fn samples(size: Size) -> Vec<Self> {
        vec![Self { slot: size.slot(), action: size.action(), lock_nonce: size.nonce(), guest_nonce: size.nonce() }]
    }
}

impl Samples for Reply {
    fn samples(size: Size) -> Vec<Self> {
        let refused = RefuseReason::ALL.iter().map(|reason| Outcome::Refused { reason: *reason });
        refused
            .chain([Outcome::Accepted])
            .map(|outcome| Self { outcome, unlock: size.tag(), battery: size.battery() })
            .collect()
    }
}

impl Samples for Command {
    fn samples(size: Size) -> Vec<Self> {
        let command = |operation| Self {
            lock: size.lock(),
            epoch: size.epoch(),
            by: size.by(),
            lock_nonce: size.nonce(),
            owner_nonce: size.nonce(),
            operation,
        };
        size.operations().into_iter().map(command).collect()
    }
}

impl Samples for Done {
    fn samples(size: Size) -> Vec<Self> {
        let done = |completed| Self {
            command: size.digest(),
            lock: size.lock(),
            epoch: size.epoch(),
            time: size.pick(LockTime::UNKNOWN, LockTime::at(size.time())),
            battery: size.battery(),
            completed,
        };
        size.completed().into_iter().map(done).collect()
    }
}

impl Samples for RefusedBody {
    fn samples(size: Size) -> Vec<Self> {
        RefuseReason::ALL.iter().map(|reason| Self { request: size.digest(), reason: *reason }).collect()
    }
}

impl Samples for Provision {
    fn samples(size: Size) -> Vec<Self> {
        vec![Self { lock_nonce: size.nonce(), owner_nonce: size.nonce(), owner: size.key(), service: size.key() }]
    }
}

impl Samples for Provisioned {
    fn samples(size: Size) -> Vec<Self> {
        vec![Self {
            lock: size.lock(),
            epoch: size.epoch(),
            owner: size.key(),
            service: size.key(),
            slots: size.slots(),
            card: size.tag(),
        }]
    }
}

impl Samples for FactoryReset {
    fn samples(size: Size) -> Vec<Self> {
        vec![Self { lock: size.lock(), nonce: size.nonce() }]
    }
}

impl Samples for ReportRequest {
    fn samples(size: Size) -> Vec<Self> {
        vec![Self {
            lock: size.lock(),
            epoch: size.epoch(),
            by: size.by(),
            slot: size.slot(),
            nonce: size.nonce(),
            time: size.time(),
        }]
    }
}

impl Samples for Report {
    fn samples(size: Size) -> Vec<Self> {
        let report = |state| Self {
            request: size.digest(),
            lock: size.lock(),
            epoch: size.epoch(),
            slot: size.slot(),
            version: size.pick(0, u64::MAX),
            state,
            slots: size.slots(),
            messages: size.digest(),
        };
        State::ALL.map(report).into()
    }
}

impl Samples for FindRequest {
    fn samples(size: Size) -> Vec<Self> {
        vec![Self { service: size.key(), subject: size.key(), nonce: size.nonce(), time: size.time() }]
    }
}

impl Samples for Connect {
    fn samples(_: Size) -> Vec<Self> {
        vec![Self { purpose: ConnectFor::Install }, Self { purpose: ConnectFor::Operate }]
    }
}
