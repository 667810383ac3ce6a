//! The real lock, driven by the same steps.

use std::collections::BTreeMap;

use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use rand_chacha::ChaCha20Rng;
use sharekey::crypto::Digest;
use sharekey::error::LockError;
use sharekey::id::{LockId, SlotId};
use sharekey::lock::{Cell, Lock, Making, Now, purpose};
use sharekey::message::SlotReport;
use sharekey_model::invariant::Ledger;
use sharekey_model::state::{Content, Effect, Ending, Purpose, Read, Verdict};
use sharekey_stage::firmware::{self, AnySession};
use sharekey_stage::forge::label;
use sharekey_stage::ops::{For, Op};
use sharekey_stage::store::stored;

use super::bytes::{CARD, Known, pairing_in, record};
use super::ending::{Came, Detached, End, Envelope, Seen, Store};
use super::machine::Machine;
use super::output::operation;
use super::steps::{Sent, Step};
use crate::forge::{Forge, Provider};
use crate::reach::note;

pub const SLOTS: usize = super::machine::SLOTS as usize;

pub struct Door<C: Provider> {
    pub lock: Option<Lock<C, SLOTS>>,
    pub store: Store,
    rng: ChaCha20Rng,
    pub known: Known,
    sessions: BTreeMap<u64, AnySession>,
    detached: BTreeMap<u64, Detached>,
    /// Pairing keys as they were stored, by the model's numbers.
    pub stored: BTreeMap<u64, [u8; 32]>,
    /// Grants by the model's digests.
    pub grants: BTreeMap<Digest, Digest>,
    /// Of a lock that began in a crafted epoch there is no honest history.
    pub ledger: Option<Ledger>,
}

impl<C: Provider> Door<C> {
    fn new(machine: &Machine) -> Self {
        let mut door = Self {
            lock: None,
            store: Store::default(),
            rng: sharekey_stage::rng(7),
            known: Known::default(),
            sessions: BTreeMap::new(),
            detached: BTreeMap::new(),
            stored: BTreeMap::new(),
            grants: BTreeMap::new(),
            ledger: None,
        };
        door.make(machine, usize::MAX);
        // What a history begins with beside a lock that was just made.
        for (cell, contents) in &machine.model.flash.writes {
            let made = door.store.0[cell].len();
            for content in contents.iter().skip(made) {
                let covered = record::<C>(content, |digest| *digest, &[]);
                let bytes = door.tagged(covered);
                door.store.put(*cell, &bytes);
            }
        }
        door.boot(&BTreeMap::new());
        door.begin_ledger();
        door
    }

    pub fn id(&self) -> LockId {
        self.lock.as_ref().unwrap().id()
    }

    /// A key that comes from the lock's stored seed.
    fn derived(&self, label: &str) -> [u8; 32] {
        Forge::<C>::new().derived(&self.store.read(Cell::Seed, Read::Newest).unwrap()[5..37], label)
    }

    fn tagged(&self, mut covered: Vec<u8>) -> Vec<u8> {
        let tag = Forge::<C>::new().tag(&self.derived(label::RECORD_MAC), &covered);
        covered.extend(tag.as_bytes());
        covered
    }

    /// It may stop half-way.
    fn make(&mut self, machine: &Machine, writes: usize) {
        let mut making: Making<C, SLOTS> =
            firmware::begin(C::default(), CARD, Seen(&self.store, &BTreeMap::new()), &mut self.rng);
        let mut written = 0;
        let _stopped = firmware::records(&mut making, |record| {
            if written == writes {
                return Err(());
            }
            if written == 0 {
                // What was stored before is foreign from here on.
                self.store = Store::default();
            }
            written += 1;
            self.store.put(record.cell(), record.as_bytes());
            Ok(())
        });
        self.detached.clear();
        self.lock = making.finish().ok();
        if self.lock.is_some() {
            let before = self.known.locks.insert(machine.model.lock, self.id());
            assert!(before.is_none(), "a lock came back");
            let ids: std::collections::BTreeSet<_> = self.known.locks.values().collect();
            assert_eq!(ids.len(), self.known.locks.len(), "a lock came back");
            note("a lock was made");
        }
    }

    fn boot(&mut self, reads: &BTreeMap<Cell, Read>) {
        self.detached.clear();
        let is_read = |cell| reads.get(&cell) != Some(&Read::NotYet);
        self.lock = firmware::load(C::default(), CARD, Seen(&self.store, reads), is_read).ok();
    }

    fn step(&mut self, machine: &Machine, step: &Step) {
        let verdict = machine.verdict.as_ref();
        match step {
            Step::Now(_) => {}
            Step::Spin { .. } => self.spin(machine),
            Step::Make { writes } => self.make(machine, *writes),
            Step::Boot { reads } => self.boot(reads),
            Step::Challenge { purpose, ending } => {
                let came = self.challenge(*purpose, machine.now, *ending);
                self.compare(machine, verdict.unwrap(), came, None, *ending);
            }
            Step::Send { session, sent, ending } => {
                let envelope = self.envelope(machine, *session, sent);
                self.overhear(machine, &envelope);
                let came = self.send(*session, &envelope, machine.now, *ending);
                self.compare(machine, verdict.unwrap(), came, Some(envelope), *ending);
            }
            Step::Reload { cell, read } => {
                // A write that waits for the cell takes effect no more.
                let lock = self.lock.as_mut().unwrap();
                let came = lock.reload(*cell, self.store.found(*cell, *read));
                check_so(verdict.unwrap(), came);
            }
            // A write takes effect while its cell waits for it, and never later.
            Step::Store { ticket } if machine.model.pending[ticket].stored => self.store_pending(*ticket),
            Step::Store { .. } => {}
            Step::Written { ticket } => self.written(machine, *ticket),
            Step::Abandon { ticket } => self.abandon(verdict.unwrap(), *ticket),
        }
        self.check(machine);
    }

    fn spin(&mut self, machine: &Machine) {
        let lock = self.lock.as_mut().unwrap();
        for _ in 0..machine.spun {
            let staged = lock.challenge::<purpose::Operate>(machine.now, &mut self.rng).unwrap();
            assert!(staged.record().is_none(), "a lease is good for {} more", machine.spun);
            let _session = staged.commit(stored).unwrap();
        }
        if machine.spun > 1_000 {
            note("a lease was used up");
        }
    }

    fn challenge(&mut self, purpose: Purpose, now: Now, ending: Ending) -> Came {
        let Self { lock, store, rng, .. } = self;
        let purpose = if purpose == Purpose::Install { For::Install } else { For::Operate };
        firmware::challenge(lock.as_mut().unwrap(), purpose, now, rng, &mut End(ending, store))
            .unwrap_or_else(|why| Came::Refused { why, answer: None })
    }

    fn envelope(&self, machine: &Machine, session: u64, sent: &Sent) -> Envelope {
        let given = machine.given.get(&session).copied().unwrap_or_default();
        let allowed = if sent.purpose() == Purpose::Install { 120_000 } else { 10_000 };
        let in_time = machine.now.ticks.checked_sub(given).is_some_and(|passed| passed <= allowed);
        Envelope { sent: *sent, bytes: self.known.bytes::<C>(sent), in_time }
    }

    fn send(&mut self, session: u64, envelope: &Envelope, now: Now, ending: Ending) -> Came {
        let to = envelope.sent.to();
        let session = self.sessions.remove(&session).expect("a session that was given");
        let Self { lock, store, rng, .. } = self;
        firmware::send(lock.as_mut().unwrap(), (session, to), &envelope.bytes, now, rng, &mut End(ending, store))
            .unwrap_or_else(Came::from)
    }

    fn compare(
        &mut self,
        machine: &Machine,
        verdict: &Verdict,
        came: Came,
        envelope: Option<Envelope>,
        ending: Ending,
    ) {
        match (verdict, came) {
            (Verdict::Accepted { effect, record, ticket }, Came::Accepted { output, waiting, write }) => {
                let op = self.check_write(record.as_ref(), write.as_ref(), effect);
                let told = record.is_some() && ending == Ending::Fail { written: true };
                if output.is_some() || told {
                    self.happened(effect, envelope.as_ref(), output.is_some());
                }
                let failed = record.is_some() && matches!(ending, Ending::Fail { .. });
                let taken = !failed && !matches!(ending, Ending::Drop | Ending::Detach);
                assert_eq!(output.is_some(), taken, "a result without its write");
                if let Some(output) = output {
                    self.check_output(machine, (effect, op), output, envelope.as_ref());
                } else if let Some(waiting) = waiting {
                    let (effect, told) = (effect.clone(), false);
                    self.detached.insert(ticket.unwrap(), Detached { waiting, write, envelope, effect, told });
                }
                note(format!("ended by {ending:?}, {} a record", if record.is_some() { "with" } else { "without" }));
            }
            (Verdict::Refused { why, answer }, Came::Refused { why: really, answer: bytes }) => {
                assert_eq!(really, *why, "refused for another reason");
                note(format!("refused: {why:?}"));
                let request = envelope.as_ref().map(|envelope| envelope.bytes.as_slice());
                self.check_answer(*answer, bytes.as_deref(), request);
            }
            (verdict, Came::Accepted { .. }) => panic!("accepted, and should be {verdict:?}"),
            (verdict, Came::Refused { why, .. }) => panic!("refused as {why:?}, and should be {verdict:?}"),
        }
    }

    /// The record is in the cell that model and table say, and exactly what the spec says, under the lock's own key.
    fn check_write(&mut self, record_model: Option<&Content>, write: Option<&(Cell, Vec<u8>)>, effect: &Effect) -> Op {
        let (op, slot) = operation(effect, record_model.is_some());
        let cell = write.map(|(cell, _)| *cell);
        assert_eq!(cell, record_model.map(Content::cell), "what {effect:?} writes");
        assert_eq!(cell, op.written(slot), "what {op:?} writes");
        let (Some(content), Some((_, bytes))) = (record_model, write) else { return op };
        let covered = record::<C>(content, |digest| self.grants[digest], bytes);
        let expected = match content {
            // Under the record key of the seed in it, which is the next lock's.
            Content::Seed { .. } => {
                let forge = Forge::<C>::new();
                let tag = forge.tag(&forge.derived(&covered[5..37], label::RECORD_MAC), &covered);
                [&covered, &tag.as_bytes()[..]].concat()
            }
            _ => self.tagged(covered),
        };
        assert_eq!(*bytes, expected, "the record of {content:?}");
        if let Content::Slot(_, slot) = content
            && let sharekey_model::state::Holds::Installed(key) = slot.holds
        {
            let pairing = pairing_in(bytes);
            let before = *self.stored.entry(key.pairing).or_insert(pairing);
            assert_eq!(before, pairing, "a pairing key changed");
        }
        op
    }

    fn store_pending(&mut self, ticket: u64) {
        let write = self.detached.get_mut(&ticket).and_then(|detached| detached.write.take());
        if let Some((cell, bytes)) = write {
            self.store.put(cell, &bytes);
            let detached = self.detached.get_mut(&ticket).unwrap();
            let (effect, envelope) = (detached.effect.clone(), detached.envelope.clone());
            detached.told = !matches!(effect, Effect::Unlocked { .. });
            self.happened(&effect, envelope.as_ref(), false);
            note("a detached record was stored before it was reported");
        }
    }

    fn written(&mut self, machine: &Machine, ticket: u64) {
        if matches!(machine.verdict, Some(Verdict::Accepted { .. })) {
            self.store_pending(ticket);
        }
        let Detached { waiting, envelope, told, .. } = self.detached.remove(&ticket).unwrap();
        let lock = self.lock.as_mut().unwrap();
        let output = waiting.written(lock);
        match (machine.verdict.as_ref().unwrap(), output) {
            (Verdict::Accepted { effect, record, .. }, Ok(output)) => {
                if !told {
                    self.happened(effect, envelope.as_ref(), true);
                }
                let (op, _) = operation(effect, record.is_some());
                self.check_output(machine, (effect, op), output, envelope.as_ref());
                note("a detached operation was reported");
            }
            (Verdict::Refused { why, .. }, Err(really)) => {
                assert_eq!(really, *why);
                note(format!("a report was refused: {why:?}"));
            }
            (verdict, output) => panic!("reported {:?}, and should be {verdict:?}", output.err()),
        }
    }

    fn abandon(&mut self, verdict: &Verdict, ticket: u64) {
        let Detached { waiting, .. } = self.detached.remove(&ticket).unwrap();
        let lock = self.lock.as_mut().unwrap();
        let came = waiting.abandon(lock);
        note(format!("an abandoning came to {came:?}"));
        check_so(verdict, came);
    }

    /// Everything that the lock says of itself.
    fn check(&self, machine: &Machine) {
        let Some(lock) = &self.lock else {
            assert!(!machine.made, "there is no lock");
            return;
        };
        assert!(machine.made, "there is a lock");
        let model = &machine.model;
        let forge = Forge::<C>::new();
        let real = |key: sharekey::crypto::PublicKey| forge.key(key.as_bytes()[0]);
        let expected = model.ownership().map(|owned| (owned.epoch, real(owned.owner), real(owned.service)));
        assert_eq!(lock.ownership().map(|owned| (owned.epoch, owned.owner, owned.service)), expected);
        for cell in Lock::<C, SLOTS>::cells().chain([Cell::Seed, Cell::Slot(SlotId::new(super::machine::SLOTS))]) {
            assert_eq!(lock.condition(cell), model.condition(cell), "{cell:?}");
        }
        for slot in (0..=super::machine::SLOTS).map(SlotId::new) {
            let expected = model.report(slot).map(|report| self.real_report(report));
            assert_eq!(lock.report(slot), expected, "{slot:?}");
        }
        for (cell, writes) in &model.flash.writes {
            assert_eq!(self.store.0[cell].len(), writes.len(), "writes of {cell:?}");
        }
    }

    pub fn real_report(&self, report: SlotReport) -> SlotReport {
        use sharekey::message::Holding;
        let holding = match report.holding {
            Holding::Installed { grant, device } => {
                Holding::Installed { grant: self.grants[&grant], device: Forge::<C>::new().key(device.as_bytes()[0]) }
            }
            other => other,
        };
        SlotReport { holding, ..report }
    }

    pub fn keep(&mut self, id: u64, session: AnySession) {
        self.sessions.insert(id, session);
    }
}

fn check_so(verdict: &Verdict, came: Result<(), LockError>) {
    match (verdict, came) {
        (Verdict::So, Ok(())) => {}
        (Verdict::Refused { why, .. }, Err(really)) => assert_eq!(really, *why),
        (verdict, came) => panic!("came to {came:?}, and should be {verdict:?}"),
    }
}

impl<C: Provider> StateMachineTest for Door<C> {
    type SystemUnderTest = Self;
    type Reference = Machine;

    fn init_test(machine: &<Machine as ReferenceStateMachine>::State) -> Self {
        let door = Self::new(machine);
        door.check(machine);
        door
    }

    fn apply(mut door: Self, machine: &Machine, step: Step) -> Self {
        door.step(machine, &step);
        door
    }
}
