//! The real service and the real phones, driven by the same steps.

use std::collections::BTreeSet;

use proptest_state_machine::StateMachineTest;
use rand_chacha::ChaCha20Rng;
use sharekey::counter::Epoch;
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::{OwnerError, ServiceError};
use sharekey::limits::{Limits, Rights};
use sharekey::message::{Release, Withdrawn, WithdrawnOutcome};
use sharekey::owner::{Method, Order, OwnedLock, Owner};
use sharekey::service::{Changed, Request, Service, ShareRecord};
use sharekey::slot::{GrantRef, Slot, Witness};
use sharekey::staged::Staged;
use sharekey::wire::Unverified;
use sharekey_model::state::{LineModel, RecordVerdict};
use sharekey_stage::desk::NOW;
use sharekey_stage::rows::{joined, open, reopen};

use super::bytes::Paper;
use super::machine::{Expected, Machine, PHONES};
use super::steps::{Named, OWNER, SERVICES, SLOT, Step, named};
use crate::forge::{Forge, Provider};
use crate::reach::note;

pub struct Cloud<C: Provider> {
    service: Service<C>,
    record: ShareRecord,
    owner: Owner<C>,
    phones: [OwnedLock; PHONES],
    paper: Paper<C>,
    rng: ChaCha20Rng,
}

/// Commits to a store that takes the record, or does not.
fn commit<S, T>(staged: Staged<'_, S, T>, stored: bool) -> Option<T> {
    staged.commit(|_| if stored { Ok(()) } else { Err(()) }).ok()
}

/// A key as it is shown: grant, install, and device and proof of a download.
type Shown = (GrantRef, Option<Digest>, Option<(PublicKey, Digest)>);

impl<C: Provider> Cloud<C> {
    fn new() -> Self {
        let (forge, paper) = (Forge::<C>::new(), Paper::<C>::new());
        let service = Service::new(C::default(), &Forge::<C>::seed(SERVICES[0])).unwrap();
        let owner = Owner::new(C::default(), &Forge::<C>::seed(OWNER)).unwrap();
        let mut rng = sharekey_stage::rng(1);
        let (provision, pending) =
            owner.provision(&paper.card(), &paper.challenge(), forge.key(SERVICES[0]), &mut rng).unwrap();
        let provisioned = paper.provisioned(&provision);
        let Ok(view) = pending.finish(&owner, &provisioned).unwrap().put_new(None, sharekey_stage::store::stored);
        let record = open(&service, &provisioned, SLOT).unwrap();
        Self { service, record, owner, phones: [view.clone(), view], paper, rng }
    }

    fn step(&mut self, machine: &Machine, step: &Step) {
        match machine.expected.as_ref().unwrap() {
            Expected::Phone(expected) => {
                let came = self.phone(step);
                assert_eq!(came, *expected, "at a phone");
                let what = format!("{step:?}");
                let what = what.split(' ').next().unwrap();
                note(came.map_or_else(|error| format!("{what} refused: {error:?}"), |()| format!("phone: {what}")));
            }
            Expected::Record(expected) => {
                let came = self.serve(step);
                let given = matches!(*expected, RecordVerdict::Withdrawn(_) | RecordVerdict::Released);
                // Without the record in the store there is no signature.
                let expected = self.real_verdict(*expected);
                let nothing = came == Ok(None) && (given || expected.is_ok());
                assert!(nothing || came == expected.map(Some), "{came:?} at the service, and should be {expected:?}");
                note(format!("record: {}", short(&came)));
            }
        }
        self.check(machine);
    }

    // --- the phones ---

    fn phone(&mut self, step: &Step) -> Result<(), OwnerError> {
        let Self { service, owner, phones, paper, record, rng } = self;
        match *step {
            Step::Share { phone, subject } => {
                let to = Forge::<C>::new().key(subject);
                let staged = owner.share(&mut phones[phone], SLOT, to, Method::Account, Rights::OPEN, Limits::NONE)?;
                let number = staged.next().slot(SLOT).unwrap().highest().value();
                let epoch = staged.next().epoch().value();
                let message = commit(staged, true).unwrap();
                let grant = super::steps::Grant { epoch, generation: number, subject };
                assert_eq!(message.as_bytes(), paper.grant(grant, super::steps::Spoil::None));
            }
            Step::Order { phone } => {
                let staged =
                    owner.order(&mut phones[phone], Order::Activate { slot: SLOT }, &paper.challenge(), rng)?;
                commit(staged, true).unwrap();
            }
            Step::LearnGrant { phone, grant } => {
                let message = paper.grant(grant, super::steps::Spoil::None);
                commit(owner.learn(&mut phones[phone], &message)?, true);
            }
            Step::LearnProof { phone, proof } => {
                let message = paper.proof(proof, super::steps::Spoil::None);
                commit(owner.learn(&mut phones[phone], &message)?, true);
            }
            Step::LearnAnswer { phone, grant, outcome } => {
                let message = paper.withdrawn(grant, outcome.model());
                commit(owner.learn(&mut phones[phone], &message)?, true);
            }
            Step::LearnTransfer { phone, epoch } => {
                let message = paper.transferred(epoch, OWNER, SERVICES[0], super::steps::Spoil::None);
                commit(owner.learn(&mut phones[phone], &message)?, true);
            }
            Step::See { phone } => {
                let (request, pending) = owner.ask(&phones[phone], SLOT, NOW, rng)?;
                // Whatever the service says to a request that it refuses, the phone hears nothing.
                let answer = service.report(record, &request, NOW).map_err(|_| OwnerError::NothingToLearn)?;
                let seen = commit(owner.see(&mut phones[phone], pending, &answer)?, true).unwrap();
                assert_eq!(seen.equivocation, None);
            }
            _ => panic!("nothing that a phone does"),
        }
        Ok(())
    }

    // --- the service ---

    /// What came of it; nothing, where the store did not take the record.
    fn serve(&mut self, step: &Step) -> Result<Option<RecordVerdict>, ServiceError> {
        let Self { service, record, paper, .. } = self;
        let (message, install);
        let (request, stored) = match *step {
            Step::Publish { grant, spoil, stored } => {
                message = paper.grant(grant, spoil);
                (Request::from(&message), stored)
            }
            Step::Withdraw { grant, spoil, stored } => {
                message = paper.withdraw(grant, spoil);
                (Request::from(&message), stored)
            }
            Step::Release { install: number, spoil, stored } => {
                (message, install) = paper.claimed(number, spoil);
                (Request::from((&message, &install)), stored)
            }
            Step::Prove { proof, spoil, stored } => {
                message = paper.proof(proof, spoil);
                (Request::from(&message), stored)
            }
            Step::Reopen { epoch, owner, service: other, spoil } => {
                message = paper.transferred(epoch, owner, other, spoil);
                (Request::from(&message), true)
            }
            _ => panic!("nothing that reaches the service"),
        };
        if let (Step::Reopen { .. }, Request::Message(statement)) = (step, request) {
            reopen(service, record, statement)?;
            return Ok(Some(RecordVerdict::Reopened { serving: service.serves(record) }));
        }
        let before = record.clone();
        let staged = service.take(record, request)?;
        assert_eq!(staged.writes(), *staged.next() != before, "a write for nothing, or none for a change");
        let Some(taken) = commit(staged, stored) else { return Ok(None) };
        let (changed, answer) = (taken.changed(), taken.answer());
        Ok(Some(match (*step, answer) {
            (Step::Publish { .. }, Err(error)) => RecordVerdict::Taken(error),
            (Step::Publish { .. }, Ok(_)) if changed == Changed::Nothing => RecordVerdict::PublishedAgain,
            (Step::Publish { .. }, Ok(_)) => RecordVerdict::Published,
            (Step::Withdraw { grant, .. }, answer) => {
                let answer = answer.unwrap();
                let key = service.key();
                let answer = *Unverified::<Withdrawn>::parse(&answer).unwrap().verify(&C::default(), key).unwrap();
                assert_eq!(answer.withdraw, paper.withdraw_of(grant));
                RecordVerdict::Withdrawn(answer.outcome)
            }
            (Step::Release { .. }, release) => {
                let release = release.unwrap();
                let body =
                    *Unverified::<Release>::parse(&release).unwrap().verify(&C::default(), service.key()).unwrap();
                let Request::Release { install, .. } = request else { panic!("no release was asked for") };
                assert_eq!(body.install, Forge::<C>::new().digest(install));
                RecordVerdict::Released
            }
            _ => RecordVerdict::Proved(record.slot().state()),
        }))
    }

    // --- the model's terms in real ones ---

    fn real(&self, digest: &Digest) -> Digest {
        let forge = Forge::<C>::new();
        forge.digest(&match named(digest) {
            Named::Grant(grant) => self.paper.grant(grant, super::steps::Spoil::None),
            Named::Install(install) => self.paper.claimed(install, super::steps::Spoil::None).1,
            Named::Receipt(install) => {
                self.paper.proof(super::steps::Proof::Receipt(install), super::steps::Spoil::None)
            }
            Named::Inspected(found) => {
                self.paper.proof(super::steps::Proof::Inspected(found), super::steps::Spoil::None)
            }
        })
    }

    fn real_verdict(&self, verdict: RecordVerdict) -> Result<RecordVerdict, ServiceError> {
        match verdict {
            RecordVerdict::Refused(error) => Err(error),
            RecordVerdict::Withdrawn(WithdrawnOutcome::Released { install }) => {
                let install = self.real(&install);
                Ok(RecordVerdict::Withdrawn(WithdrawnOutcome::Released { install }))
            }
            other => Ok(other),
        }
    }

    fn real_key(&self, key: GrantRef) -> GrantRef {
        GrantRef { grant: self.real(&key.grant), ..key }
    }

    fn same<W: Witness>(&self, line: &LineModel, slot: &Slot<W>) {
        let key = |key: &PublicKey| Forge::<C>::new().key(key.as_bytes()[0]);
        assert_eq!(slot.state(), line.state());
        assert_eq!(slot.epoch(), line.epoch);
        assert_eq!((slot.highest(), slot.floor(), slot.last_told()), (line.highest, line.floor, line.last_told));
        assert_eq!(slot.shared(), line.share.map(|share| self.real_key(share.key)));
        assert_eq!(slot.device(), line.share.and_then(|share| share.device).map(|device| key(&device)));
        let shown: BTreeSet<Shown> = slot
            .may_open()
            .iter()
            .map(|live| (live.key(), live.install(), live.confirmation().map(|told| (told.device, told.proof))))
            .collect();
        let expected: BTreeSet<Shown> = line
            .live
            .iter()
            .map(|(live, known)| {
                let confirmed = known.confirmed.map(|(device, proof)| (key(&device), self.real(&proof)));
                (self.real_key(*live), known.install.map(|install| self.real(&install)), confirmed)
            })
            .collect();
        assert_eq!(shown, expected, "the keys that may open");
        assert_eq!(slot.may_open().len(), expected.len());
    }

    fn check(&self, machine: &Machine) {
        let key = |key: &PublicKey| Forge::<C>::new().key(key.as_bytes()[0]);
        let (record, model) = (&self.record, &machine.record);
        self.same(&model.line, record.slot());
        assert_eq!((record.version(), record.owner()), (model.version, &key(&model.owner)));
        assert_eq!(record.service(), &key(&model.service));
        assert_eq!(record.subject(), model.subject.map(|subject| key(&subject)));
        let read = joined(record.place(), record.of_lock(), Some(record.of_slot().to_bytes()));
        assert_eq!((read.as_ref(), record.is_stored()), (Ok(record), true));
        for (at, (phone, model)) in self.phones.iter().zip(&machine.phones).enumerate() {
            assert_eq!(phone.epoch(), model.line.epoch);
            match phone.slot(SLOT) {
                Some(slot) => self.same(&model.line, slot),
                None => assert_eq!(model.line, LineModel::new(model.line.epoch)),
            }
            assert_eq!(phone.status(SLOT).as_of.map_or(0, |as_of| as_of.version), machine.seen[at]);
            assert_eq!(phone.equivocations().next().is_some(), model.convicts(), "equivocation");
            if model.convicts() {
                note("a service is convicted");
            }
            if machine.phones[0].line.share != machine.phones[1].line.share {
                note("two phones show two shares");
            }
            if phone.slot(SLOT).is_some_and(Slot::is_downloaded) {
                note("a phone shows a download");
            }
            let stored = postcard::to_allocvec(phone).unwrap();
            assert_eq!(postcard::from_bytes::<OwnedLock>(&stored).as_ref(), Ok(phone));
            reached(&model.line);
        }
        reached(&model.line);
        if model.line.epoch > Epoch::FIRST {
            note("a later epoch");
        }
    }
}

fn reached(line: &LineModel) {
    if line.live.len() >= 16 {
        note("MAX_LIVE keys are live");
    }
    if line.highest.value() == u32::MAX {
        note("the end of the number line");
    }
}

fn short(came: &Result<Option<RecordVerdict>, ServiceError>) -> String {
    match came {
        Ok(Some(RecordVerdict::Withdrawn(outcome))) => {
            let outcome = format!("{outcome:?}");
            format!("Withdrawn {}", outcome.split(' ').next().unwrap())
        }
        other => format!("{other:?}"),
    }
}

impl<C: Provider> StateMachineTest for Cloud<C> {
    type SystemUnderTest = Self;
    type Reference = Machine;

    fn init_test(machine: &Machine) -> Self {
        let cloud = Self::new();
        cloud.check(machine);
        cloud
    }

    fn apply(mut cloud: Self, machine: &Machine, step: Step) -> Self {
        cloud.step(machine, &step);
        cloud
    }
}
