//! What an accepted operation gave, against the effect that the model says; and what the ledger hears.

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{PublicKey, Tag};
use sharekey::error::RefuseReason;
use sharekey::id::{SlotCount, SlotId};
use sharekey::limits::Action;
use sharekey::message::{
    Challenge, Completed, Done, Holding, Operation, Outcome, Provisioned, Receipt, Refused, Reply, SlotReport,
};
use sharekey::wire::{Kind, Unverified};
use sharekey_model::invariant::{Answered, Event, Ledger, Order, Place, Service};
use sharekey_model::state::{Answer, Effect};

use super::bytes::{CARD, agreement, real};
use super::door::Door;
use super::ending::Envelope;
use super::machine::{BATTERY, Machine};
use super::steps::{BAD, Flaw, OWNERS, Sent};
use crate::forge::{Forge, Provider};
use crate::reach::note;
use sharekey_stage::firmware::{AnySession, Output};
use sharekey_stage::ops::{self as table, Op, To};

/// What a Done says of a slot that it is not about: it is not in it.
const NOTHING: SlotReport = SlotReport { floor: Generation::ZERO, holding: Holding::Inactive };

const SLOTS: SlotCount = SlotCount::new(super::machine::SLOTS).unwrap();

impl<C: Provider> Door<C> {
    fn real(&self, key: PublicKey) -> PublicKey {
        Forge::<C>::new().key(key.as_bytes()[0])
    }

    pub fn check_output(
        &mut self,
        machine: &Machine,
        (effect, op): (&Effect, Op),
        output: Output,
        envelope: Option<&Envelope>,
    ) {
        assert_eq!(Kind::of(output.answer()).ok(), op.row().answer, "{op:?}");
        note(op.name());
        let forge = Forge::<C>::new();
        let lock = self.id();
        match (effect, output) {
            (Effect::Challenged { id, number }, Output::ForInstall(given)) => {
                self.challenged(*id, &given.challenge, number.is_some());
                self.keep(*id, AnySession::Install(given.session));
            }
            (Effect::Challenged { id, number }, Output::ToOperate(given)) => {
                self.challenged(*id, &given.challenge, number.is_some());
                self.keep(*id, AnySession::Operate(given.session));
            }
            (Effect::Provisioned { owner, service, .. }, Output::Owned(owned)) => {
                let body = *Unverified::<Provisioned>::parse(&owned.provisioned)
                    .unwrap()
                    .verify(&C::default(), lock.key())
                    .unwrap();
                let card = forge.card_tag(&CARD, &envelope.unwrap().bytes, lock);
                let (epoch, owner, service) = (Epoch::FIRST, self.real(*owner), self.real(*service));
                assert_eq!(body, Provisioned { lock, epoch, owner, service, slots: SLOTS, card });
            }
            (Effect::Installed { .. }, Output::Installed(installed)) => {
                self.check_receipt(effect, &installed, envelope.unwrap());
            }
            (Effect::Unlocked { action, slot, generation, device }, Output::Unlocked(unlocked)) => {
                let expected = (*action, *slot, *generation, self.real(*device));
                assert_eq!((unlocked.action, unlocked.slot, unlocked.generation, unlocked.device), expected);
                self.check_reply(&unlocked.reply, envelope.unwrap(), Outcome::Accepted);
                note(format!("accepted: {action:?}"));
            }
            (Effect::Done { epoch, time, completed }, Output::Commanded(commanded)) => {
                let body =
                    *Unverified::<Done>::parse(&commanded.done).unwrap().verify(&C::default(), lock.key()).unwrap();
                let command = forge.digest(&envelope.unwrap().bytes);
                let (time, battery, completed) = (*time, BATTERY, self.real_completed(completed));
                let expected = Done { command, lock, epoch: *epoch, time, battery, completed };
                assert_eq!(body, expected);
            }
            (Effect::Erased, Output::Erased(_)) => {}
            (effect, _) => panic!("another result than {effect:?}, with {} sent", machine.sent.len()),
        }
    }

    fn challenged(&mut self, id: u64, challenge: &[u8], counted: bool) {
        let body = *Unverified::<Challenge>::parse(challenge).unwrap().claims();
        assert_eq!(body.lock, self.id());
        self.known.nonces.insert(id, body.nonce);
        let event = Event::Challenged { lock: self.id(), nonce: *body.nonce.as_bytes() };
        self.observe(&event);
        note(if counted { "a challenge" } else { "a challenge of a lock that cannot count" });
    }

    /// The receipt says what was installed, and guest and lock agree on the key.
    fn check_receipt(&mut self, effect: &Effect, installed: &sharekey::lock::Installed, envelope: &Envelope) {
        let Effect::Installed { slot, generation, grant, device, pairing, again } = *effect else { return };
        let Sent::Bundle(bundle) = envelope.sent else { panic!("installed what is no bundle") };
        let (forge, lock) = (Forge::<C>::new(), self.id());
        let device = self.real(device);
        assert_eq!((installed.slot, installed.generation, installed.device), (slot, generation, device));
        let receipt =
            *Unverified::<Receipt>::parse(&installed.receipt).unwrap().verify(&C::default(), lock.key()).unwrap();
        let install = forge.digest(&self.known.chain::<C>(&bundle).install);
        let epoch = Epoch::new(bundle.grant.epoch);
        let place = (receipt.lock, receipt.epoch, receipt.slot, receipt.generation);
        assert_eq!((receipt.install, receipt.grant, receipt.device), (install, self.grants[&grant], device));
        assert_eq!(place, (lock, epoch, slot, generation));
        let key = forge.pairing(&installed.receipt, &agreement());
        assert_eq!(self.stored[&pairing], key, "the lock stored another pairing key than the guest derives");
        self.known.pairings.insert(pairing, key);
        note(if again { "re-keyed" } else { "installed" });
        if generation.value() > u32::MAX - 3 {
            note("installed near the end of the number line");
        }
    }

    fn check_reply(&self, reply: &[u8], envelope: &Envelope, outcome: Outcome) {
        let Sent::Unlock { pairing: Some(pairing), .. } = envelope.sent else {
            panic!("a reply to {:?}", envelope.sent)
        };
        let body = *Unverified::<Reply>::parse(reply)
            .unwrap()
            .verify_mac(&C::default(), &self.known.pairings[&pairing])
            .unwrap();
        let tag = Tag::from_bytes(*envelope.bytes.last_chunk().unwrap());
        assert_eq!(body, Reply { outcome, unlock: tag, battery: BATTERY });
    }

    /// The answer to a refusal is of the kind that it must be.
    pub fn check_answer(&self, answer: Option<Answer>, bytes: Option<&[u8]>, request: Option<&[u8]>) {
        let (Some(answer), Some(bytes), Some(request)) = (answer, bytes, request) else {
            assert!(answer.is_none() && bytes.is_none() && request.is_none());
            return;
        };
        match answer {
            Answer::Opaque => assert_eq!(bytes, Refused::OPAQUE),
            Answer::Signed(reason) => self.check_signed(bytes, request, reason),
            Answer::Reply(reason) => {
                let tag = Tag::from_bytes(*request.last_chunk().unwrap());
                let reply = Unverified::<Reply>::parse(bytes).unwrap();
                let slot = usize::from(request[4]);
                let sound = self.known.pairings.values().any(|key| reply.verify_mac(&C::default(), key).is_ok());
                let body = reply.claims();
                assert!(sound && body.outcome == Outcome::Refused { reason } && body.unlock == tag, "slot {slot}");
            }
        }
        note(match answer {
            Answer::Opaque => "an opaque answer",
            Answer::Signed(_) => "a signed answer",
            Answer::Reply(_) => "a reply with a reason",
        });
    }

    fn check_signed(&self, bytes: &[u8], request: &[u8], reason: RefuseReason) {
        let Ok(Refused::Signed(body)) = Refused::parse(bytes) else { panic!("no signed refusal") };
        let body = *body.verify(&C::default(), self.id().key()).unwrap();
        assert_eq!((body.request, body.reason), (Forge::<C>::new().digest(request), reason));
    }

    fn real_completed(&self, completed: &Completed) -> Completed {
        let left = completed.left().map_or(NOTHING, |(_, left)| self.real_report(left));
        table::completed(&real::<C>(&completed.operation()), SLOTS, &left)
    }

    // --- the ledger ---

    pub fn begin_ledger(&mut self) {
        let owned = self.lock.as_ref().unwrap().ownership();
        let (lock, nonce) = (self.id(), [0; 16]);
        let mut ledger = Ledger::new(Service::TakenOver);
        match owned {
            Ok(owned) if owned.epoch == Epoch::FIRST => {
                let answered = Answered { nonce, in_time: true };
                let owner = Forge::<C>::new().key(OWNERS[0]);
                ledger.observe(&Event::Challenged { lock, nonce }).unwrap();
                ledger.observe(&Event::Owned { lock, epoch: Epoch::FIRST, owner, answered, command: None }).unwrap();
            }
            Ok(_) => return,
            Err(_) => {}
        }
        self.ledger = Some(ledger);
    }

    fn observe(&mut self, event: &Event) {
        if let Some(ledger) = &mut self.ledger {
            ledger.observe(event).unwrap_or_else(|violation| panic!("{violation}, by {event:?}"));
        }
    }

    /// What the ledger, and the model's table of grants, have to know of a message before it arrives.
    pub fn overhear(&mut self, machine: &Machine, envelope: &Envelope) {
        let forge = Forge::<C>::new();
        match envelope.sent {
            Sent::Bundle(bundle) => {
                let digest = forge.digest(&self.known.grant::<C>(&bundle.grant));
                self.grants.insert(machine.grants.digest(&bundle.grant), digest);
                let Some(lock) = self.known.locks.get(&bundle.grant.lock).copied() else { return };
                if bundle.grant.flaw != Flaw::None {
                    return;
                }
                let epoch = Epoch::new(bundle.grant.epoch);
                let place = Place { lock, epoch, slot: SlotId::new(bundle.grant.slot) };
                let (owner, generation) = (forge.key(bundle.grant.by), Generation::new(bundle.grant.generation));
                let uses = bundle.grant.limits.max_uses();
                self.observe(&Event::Granted { grant: digest, owner, place, generation, uses });
                let sound = bundle.flaws[0] == Flaw::None && bundle.by[0] == bundle.grant.subject;
                if sound && !bundle.names_other[0] && bundle.grant.subject != BAD {
                    self.observe(&Event::Claimed { grant: digest, device: forge.key(bundle.device) });
                }
            }
            Sent::Command(command) if command.flaw == Flaw::None => {
                let Some(lock) = self.known.locks.get(&command.lock).copied() else { return };
                let (owner, digest) = (forge.key(command.by), forge.digest(&envelope.bytes));
                self.observe(&Event::Ordered { command: digest, owner, lock, epoch: Epoch::new(command.epoch) });
                self.observe(&Event::Meant { command: digest, order: meant::<C>(&command.order) });
            }
            _ => {}
        }
    }

    /// Tells the ledger what was stored, or done at the bolt: `taken`, its result is out.
    pub fn happened(&mut self, effect: &Effect, envelope: Option<&Envelope>, taken: bool) {
        let Some(envelope) = envelope else { return };
        let lock = self.id();
        let answered =
            |nonce: Option<u64>| Answered { nonce: *self.known.nonce(nonce).as_bytes(), in_time: envelope.in_time };
        let command = Forge::<C>::new().digest(&envelope.bytes);
        let event = match (effect, &envelope.sent) {
            (Effect::Installed { slot, generation, grant, device, .. }, Sent::Bundle(bundle)) => Event::Installed {
                place: Place { lock, epoch: Epoch::new(bundle.grant.epoch), slot: *slot },
                grant: self.grants[grant],
                generation: *generation,
                device: self.real(*device),
                answered: answered(bundle.nonce),
            },
            (Effect::Unlocked { action, slot, generation, device }, Sent::Unlock { nonce, .. }) if taken => {
                let Ok(epoch) = self.lock.as_ref().unwrap().ownership().map(|owned| owned.epoch) else { return };
                Event::Acted {
                    place: Place { lock, epoch, slot: *slot },
                    device: self.real(*device),
                    generation: *generation,
                    answered: answered(*nonce),
                    opened: *action == Action::Open,
                }
            }
            (Effect::Provisioned { owner, .. }, Sent::Provision { nonce, .. }) => {
                let (owner, answered) = (self.real(*owner), answered(*nonce));
                Event::Owned { lock, epoch: Epoch::FIRST, owner, answered, command: None }
            }
            (Effect::Erased, Sent::Reset { nonce, .. }) => Event::Erased { lock, answered: answered(*nonce) },
            (Effect::Done { epoch, completed, .. }, Sent::Command(sent)) => {
                meant::<C>(&completed.operation()).done((lock, *epoch), command, answered(sent.nonce))
            }
            _ => return,
        };
        self.observe(&event);
    }
}

fn meant<C: Provider>(operation: &Operation) -> Order {
    Order::of(&real::<C>(operation))
}

/// Which operation of the table it is, and which slot it is about.
pub fn operation(effect: &Effect, writes: bool) -> (Op, SlotId) {
    let none = SlotId::new(0);
    let (sent, slot) = match effect {
        Effect::Challenged { .. } => (table::Sent::Nothing, none),
        Effect::Provisioned { .. } => (table::Sent::To(To::Provision), none),
        Effect::Installed { slot, .. } => (table::Sent::To(To::Install), *slot),
        Effect::Unlocked { slot, .. } => (table::Sent::To(To::Unlock), *slot),
        Effect::Done { completed, .. } => (
            table::Sent::Command(table::Order::of(&completed.operation())),
            completed.operation().slot().unwrap_or(none),
        ),
        Effect::Erased => (table::Sent::To(To::Reset), none),
    };
    (Op::of(sent, writes), slot)
}
