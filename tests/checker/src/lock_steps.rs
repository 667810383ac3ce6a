//! What the lock does with what it is given.

use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::lock::purpose::{self, Purpose};
use sharekey::message::{Command, Completed, Done, Holding, Install, Operation, Receipt, SlotReport, Unlock};
use sharekey::wire::{Kind, Message, Unverified};
use sharekey_model::invariant::{Answered, Event, Invariant, Order as Meant, Violation};
use sharekey_model::symbolic::Symbolic;

use sharekey_stage::firmware::{self, AnySession, Output};
use sharekey_stage::forge::bundle;
use sharekey_stage::ops::{Op, Order, Sent, To};

use super::cast::{entropy, slots};
use super::lock::{Commit, Flash, INSTALL, NOW, OPERATE, Running, TestLock, Written, again, at, give, nonce};
use super::net::Msg;
use super::reach::{Milestone, Reached};
use super::world::{For, Input, Step, World};

/// How the session of an attempt stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    InTime,
    /// A millisecond after its deadline.
    Late,
    /// The connection kept it, while a newer challenge was given.
    Superseded,
}

struct Accepted {
    output: Output,
    written: Written,
    lock: TestLock,
}

fn parse<'a, T: Message>(bytes: &'a [u8]) -> Unverified<'a, T> {
    Unverified::parse(bytes).unwrap()
}

impl World {
    pub fn lock_step(&self, local: u32, input: Input) -> Option<Step> {
        let flash = self.locks.get(local);
        match input {
            Input::Challenge(For::Install) => Some(self.challenge::<purpose::Install>(&flash, INSTALL)),
            Input::Challenge(For::Operate) => Some(self.challenge::<purpose::Operate>(&flash, OPERATE)),
            Input::Reboot => {
                let next = self.locks.id(flash.reboot());
                (next != local).then(|| Step { next, ..Step::default() })
            }
            _ => self.request(&flash, input),
        }
    }

    fn challenge<P: Purpose>(&self, flash: &Flash, purpose: usize) -> Step {
        let mut running = flash.run();
        let (given, written) = give::<P>(&mut running.lock, NOW);
        let op = Op::of(Sent::Nothing, flash.given == 0);
        assert_eq!(written.as_ref().map(|(cell, _)| *cell), op.written(SlotId::new(0)), "{op:?}");
        let challenge = self.put(&given.challenge);
        let mut next = flash.wrote(&written);
        next.open[purpose] = Some((next.given, challenge));
        next.given += 1;
        let cut = written.is_some().then(|| (self.locks.id(next.reboot()), 0));
        let event = Event::Challenged { lock: self.cast.lock, nonce: nonce(&given.challenge) };
        Step {
            next: self.locks.id(next),
            out: vec![challenge],
            events: self.happened(vec![event]),
            cut,
            ..Step::default()
        }
    }

    /// An attempt at the lock as it is now.
    fn attempt(&self, flash: &Flash, input: Input, how: How) -> Result<Accepted, LockError> {
        let Running { mut lock, install, operate } = flash.run();
        let bytes = |msg: Msg| self.msgs.bytes(msg);
        let (to, message) = match input {
            Input::Bundle { grant, claim, install, release } => {
                (To::Install, bundle(&[bytes(grant), bytes(claim), bytes(install), bytes(release)]))
            }
            Input::Unlock(message) => (To::Unlock, bytes(message).to_vec()),
            Input::Command(message) => (To::Command, bytes(message).to_vec()),
            other => panic!("{other:?} is not for the lock"),
        };
        let (now, session) = match to.purpose() {
            For::Install => (prepare::<purpose::Install>(&mut lock, how), AnySession::from(install.unwrap())),
            For::Operate => (prepare::<purpose::Operate>(&mut lock, how), AnySession::from(operate.unwrap())),
        };
        let rng = &mut entropy(&[b"agreement"]);
        let (output, written) = firmware::send(&mut lock, (session, to), &message, now, rng, &mut Commit)
            .map_err(|refusal| refusal.error())?;
        self.assert_written(&output, &written);
        Ok(Accepted { output, written, lock })
    }

    /// What is written, and answered, is what the table of operations says.
    fn assert_written(&self, output: &Output, written: &Written) {
        let (op, slot) = match output {
            Output::Installed(installed) => (Op::Install, installed.slot),
            Output::Unlocked(unlocked) => (Op::of(Sent::To(To::Unlock), self.scenario.uses.is_some()), unlocked.slot),
            Output::Commanded(commanded) => {
                let slot = parse::<Done>(&commanded.done).claims().completed.operation().slot();
                (Op::ordered(Order::of(&commanded.operation)), slot.unwrap_or(SlotId::new(0)))
            }
            _ => panic!("nothing that is asked of the lock here"),
        };
        assert_eq!(written.as_ref().map(|(cell, _)| *cell), op.written(slot), "{op:?}");
        assert_eq!(Kind::of(output.answer()).ok(), op.row().answer, "{op:?}");
    }

    fn request(&self, flash: &Flash, input: Input) -> Option<Step> {
        let accepted = match self.attempt(flash, input, How::InTime) {
            Ok(accepted) => accepted,
            Err(error) => {
                self.note(refused(error));
                return None;
            }
        };
        let purpose = if matches!(input, Input::Bundle { .. }) { INSTALL } else { OPERATE };
        let late = self.attempt(flash, input, How::Late).is_ok();
        let superseded = self.attempt(flash, input, How::Superseded).is_ok();
        let answered = Answered { nonce: self.answered_by(input), in_time: !late };

        let mut stored = flash.wrote(&accepted.written);
        stored.open[purpose] = None;
        let disagrees = !stored.agrees_with(&accepted.lock);
        let lies = !self.says_what_it_did(input, &accepted);
        let fault = if !self.is_chain(input) {
            Some(Violation { invariant: Invariant::Release, what: "installed under the release of another install" })
        } else if superseded {
            Some(Violation { invariant: Invariant::Replay, what: "accepted in a session that a newer one closed" })
        } else if disagrees {
            Some(Violation { invariant: Invariant::Power, what: "the lock in memory is not the one on flash" })
        } else if lies {
            Some(Violation { invariant: Invariant::Proof, what: "a Done that does not say what the lock did" })
        } else {
            None
        };
        let step = self.accepted(flash, stored, &accepted, answered, input);
        Some(Step { fault, ..step })
    }

    /// Whether the parts of a bundle name each other, if it is one.
    fn is_chain(&self, input: Input) -> bool {
        let Input::Bundle { grant, claim, install, release } = input else { return true };
        self.chain(release) == Some((grant, claim, install))
    }

    /// Whether a Done is signed by the lock and names the command, and says of lock and slot what the lock says
    /// afterwards. What a Done of a bolt moved or a slot looked at says is compared with the order here; of the
    /// others the ledger judges it.
    fn says_what_it_did(&self, input: Input, accepted: &Accepted) -> bool {
        let (Input::Command(message), Output::Commanded(commanded)) = (input, &accepted.output) else {
            return true;
        };
        let left_to_do = commanded.operation;
        let Ok(done) = parse::<Done>(&commanded.done).verify(&Symbolic, self.cast.lock.key()) else { return false };
        let ordered = parse::<Command>(self.msgs.bytes(message)).claims().operation;
        let ownership = accepted.lock.ownership().unwrap();
        let left = |slot: SlotId| accepted.lock.report(slot).unwrap();
        let reported = done.completed.left().is_none_or(|(slot, said)| left(slot) == said);
        let turned = |generation, holding, said| said == SlotReport { floor: generation, holding };
        let true_of_the_lock = match done.completed {
            Completed::Activate { generation, left, .. } => turned(generation, Holding::Empty, left),
            Completed::Deactivate { generation, left, .. } => turned(generation, Holding::Inactive, left),
            Completed::Transfer { owner, service, .. } => (ownership.owner, ownership.service) == (owner, service),
            other => [ordered, left_to_do] == [other.operation(); 2],
        };
        let moves = matches!(left_to_do, Operation::Act { .. }) == matches!(done.completed, Completed::Act { .. });
        let counted = done.completed.slots().is_none_or(|said| said == slots());
        let named = (done.command, done.lock, done.epoch) == (self.digest(message), self.cast.lock, ownership.epoch);
        reported && true_of_the_lock && moves && counted && named
    }

    /// The nonce that a request says it answers: not the session's, which the lock has to compare it with.
    fn answered_by(&self, input: Input) -> [u8; 16] {
        let nonce = match input {
            Input::Bundle { install, .. } => parse::<Install>(self.msgs.bytes(install)).claims().nonce,
            Input::Unlock(message) => parse::<Unlock>(self.msgs.bytes(message)).claims().lock_nonce,
            Input::Command(message) => parse::<Command>(self.msgs.bytes(message)).claims().lock_nonce,
            other => panic!("{other:?} answers no challenge"),
        };
        *nonce.as_bytes()
    }

    fn accepted(&self, before: &Flash, mut next: Flash, accepted: &Accepted, answered: Answered, input: Input) -> Step {
        let mut reached = Reached::default();
        let (out, events, cut_events) = match &accepted.output {
            Output::Installed(installed) => {
                let out = self.put(&installed.receipt);
                let body = *parse::<Receipt>(&installed.receipt).claims();
                next.receipts[usize::from(body.slot.index())] = Some(out);
                reach_install(&mut reached, before, &body);
                let event = Event::Installed {
                    place: self.place(body.epoch, body.slot),
                    grant: body.grant,
                    generation: body.generation,
                    device: body.device,
                    answered,
                };
                (vec![out], vec![event], vec![event])
            }
            Output::Unlocked(unlocked) => {
                reached.add(Milestone::Opened);
                let Input::Unlock(message) = input else { panic!("only an unlock opens") };
                // Who asked is who made the message; that the lock takes it for the same, the ledger judges.
                let (asked, number) = self.msgs.maker(message).unwrap();
                let place = self.place(before.epoch(), unlocked.slot);
                let opened = unlocked.action == Action::Open;
                let event = Event::Acted { place, device: asked, generation: number, answered, opened };
                // The bolt has not moved yet when the power goes.
                (Vec::new(), vec![event], Vec::new())
            }
            output => {
                let done = output.answer();
                let event = self.commanded(&mut next, before, done, answered, &mut reached);
                (vec![self.put(done)], vec![event], vec![event])
            }
        };
        let cut = accepted.written.is_some().then(|| {
            reach_cut(&mut reached, &accepted.output);
            (self.locks.id(next.reboot()), self.happened(cut_events))
        });
        self.note(reached);
        Step { next: self.locks.id(next), out, events: self.happened(events), cut, ..Step::default() }
    }

    /// What happened is what the lock's Done says. What was ordered, the ledger heard when it was signed.
    fn commanded(
        &self,
        next: &mut Flash,
        before: &Flash,
        done: &[u8],
        answered: Answered,
        reached: &mut Reached,
    ) -> Event {
        let Done { command, lock, epoch, completed, .. } = *parse::<Done>(done).claims();
        let installed = |slot| matches!(before.run().lock.report(slot).unwrap().holding, Holding::Installed { .. });
        let operation = completed.operation();
        reached.order(Order::of(&operation));
        match completed {
            Completed::Activate { slot, .. } | Completed::Deactivate { slot, .. } => {
                let active = matches!(completed, Completed::Activate { .. });
                reached.add_if(installed(slot) && active, Milestone::KilledByActivation);
                reached.add_if(installed(slot) && !active, Milestone::KilledByDeactivation);
                next.receipts[usize::from(slot.index())] = None;
            }
            Completed::Transfer { .. } => {
                next.open = [None; 2];
                next.receipts = [None; super::lock::SLOTS];
            }
            Completed::Inspect { left, .. } => {
                let found = matches!(left.holding, Holding::Installed { .. });
                reached.add(if found { Milestone::InspectedKey } else { Milestone::InspectedVacant });
            }
            // What leaves the lock as it was is told of by its order.
            _ => {}
        }
        Meant::of(&operation).done((lock, epoch), command, answered)
    }
}

/// The time of an attempt, whose session a newer challenge may have closed.
fn prepare<P: Purpose>(lock: &mut TestLock, how: How) -> sharekey::lock::Now {
    match how {
        How::InTime => NOW,
        How::Late => at(P::DEADLINE_MS + 1),
        How::Superseded => {
            let _newer = again::<P>(lock);
            NOW
        }
    }
}

fn reach_install(reached: &mut Reached, before: &Flash, body: &Receipt) {
    reached.add(Milestone::Installed);
    let left = before.run().lock.report(body.slot).unwrap();
    if let Holding::Installed { .. } = left.holding {
        let again = left.floor == body.generation;
        reached.add(if again { Milestone::Rekeyed } else { Milestone::Overwritten });
    }
}

fn reach_cut(reached: &mut Reached, output: &Output) {
    reached.add(match output {
        Output::Installed(_) => Milestone::CutAfterInstall,
        Output::Unlocked(_) => Milestone::CutAfterUnlock,
        _ => Milestone::CutAfterSwitch,
    });
}

fn refused(error: LockError) -> Reached {
    let mut reached = Reached::default();
    match error {
        LockError::StaleGeneration => reached.add(Milestone::StaleGrantRefused),
        LockError::SlotInactive => reached.add(Milestone::InactiveSlotRefused),
        LockError::WrongEpoch => reached.add(Milestone::OtherEpochRefused),
        LockError::WrongNonce => reached.add(Milestone::WrongNonceRefused),
        LockError::ClaimNamesOtherGrant | LockError::InstallNamesOtherClaim | LockError::ReleaseNamesOtherInstall => {
            reached.add(Milestone::BrokenChainRefused);
        }
        LockError::ClaimSignature(_) | LockError::InstallSignature(_) | LockError::ReleaseSignature(_) => {
            reached.add(Milestone::ForeignSignatureRefused);
        }
        LockError::GrantSignature(_) | LockError::CommandSignature(_) => reached.add(Milestone::OwnerSignatureRefused),
        LockError::UsesSpent => reached.add(Milestone::LockRefusedSpentKey),
        LockError::NotInstalled | LockError::UnlockMac => reached.add(Milestone::UnlockRefused),
        LockError::StaleNumber => reached.add(Milestone::StaleNumberRefused),
        _ => {}
    }
    reached
}
