//! The owner's role: one phone, with its views.

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde_json::{Value, json};
use sharekey::code::ShareCode;
use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::Digest;
use sharekey::id::LockId;
use sharekey::limits::Timestamp;
use sharekey::message::Completed;
use sharekey::owner::{
    Equivocation, Fact, KeyStatus, Learned, Method, NewView, Order, OwnedLock, Owner, PendingCommand, PendingProvision,
    PendingReport, PendingTakeover,
};
use sharekey::secret::{ActivationSecret, Seed};
use sharekey::slot::GrantRef;
use sharekey::staged::Staged;

use super::fail::{Fail, Named, Outcome};
use super::form::{form, hex, key};
use super::lock::check_entropy;
use super::request::Request;
use crate::Provider;

pub struct Phone {
    owner: Owner<Provider>,
    views: BTreeMap<String, OwnedLock>,
    pending: BTreeMap<u64, Pending>,
    next_pending: u64,
}

enum Pending {
    Provision(PendingProvision),
    Command(PendingCommand),
    Takeover(PendingTakeover),
    Report(PendingReport),
}

/// Stores without fail.
pub fn store<S, T>(staged: Staged<'_, S, T>) -> T {
    let Ok(output) = staged.commit(|_| Ok::<(), Infallible>(()));
    output
}

fn learned(learned: &Learned) -> Value {
    match &learned.equivocation {
        Some(found) => equivocation(found),
        None if learned.news => "News".into(),
        None => "Nothing".into(),
    }
}

fn equivocation(found: &Equivocation) -> Value {
    match found {
        Equivocation::Release { slot, key, denial, release } => json!({
            "type": "ServiceEquivocated",
            "slot": slot.index(),
            "generation": key.generation.value(),
            "grant": hex(key.grant.as_bytes()),
            "denial": hex(denial),
            "release": hex(release),
        }),
        Equivocation::Report { slot, first, second } => json!({
            "type": "ReportsContradict",
            "slot": slot.index(),
            "first": hex(first),
            "second": hex(second),
        }),
    }
}

/// What the lock did, by the fact that its Done is.
fn done(fact: &Fact) -> Value {
    match *fact {
        Fact::Transferred { owner, service, slots, .. } => form(&Completed::Transfer { owner, service, slots }),
        Fact::Done { completed, .. } => form(&completed),
        _ => Value::Null,
    }
}

fn key_status(status: &KeyStatus) -> Value {
    json!({
        "generation": status.key.generation.value(),
        "grant": hex(status.key.grant.as_bytes()),
        "subject": status.subject().map(|subject| key(&subject)),
        "downloaded": status.downloaded.map(|proof| key(&proof.device)),
        "withdrawing": status.withdrawing,
    })
}

/// The name of the view that a request is about.
fn view_name(request: Request<'_>) -> String {
    request.get("view").and_then(Value::as_str).unwrap_or("view").to_owned()
}

impl Phone {
    pub fn make(request: Request<'_>) -> Result<(Self, Value), Fail> {
        let owner = Owner::new(Provider, &Seed::from_bytes(request.array("seed")?)).named()?;
        let reply = json!({ "key": key(owner.key()) });
        Ok((Self { owner, views: BTreeMap::new(), pending: BTreeMap::new(), next_pending: 0 }, reply))
    }

    pub fn handle(&mut self, op: &str, request: Request<'_>) -> Outcome {
        match op {
            "provision" => self.provision(request),
            "provisioned" => self.provisioned(request),
            "adopt" => self.adopt(request),
            "take_over" => self.take_over(request),
            "taken_over" => self.taken_over(request),
            "done" => self.done(request),
            "issue" => issue(request),
            "share" | "share_by_code" => self.share(op, request),
            "withdraw" | "withdraw_key" => self.withdraw(op, request),
            "learn" => self.learn(request),
            "moved" => self.moved(request),
            "ask" => self.ask(request),
            "see" => self.see(request),
            "status" => self.status(request),
            other => self.order(other, request),
        }
    }

    fn keep(&mut self, pending: Pending) -> u64 {
        self.next_pending += 1;
        self.pending.insert(self.next_pending, pending);
        self.next_pending
    }

    fn view(&mut self, request: Request<'_>) -> Result<(&Owner<Provider>, &mut OwnedLock), Fail> {
        let view = self.views.get_mut(&view_name(request)).ok_or_else(|| Fail::request("no such view"))?;
        Ok((&self.owner, view))
    }

    fn provision(&mut self, request: Request<'_>) -> Outcome {
        let (card, mut entropy) = (ActivationSecret::from_bytes(request.array("card")?), request.entropy()?);
        let (challenge, service) = (request.bytes("challenge")?, request.key("service")?);
        let (message, pending) = self.owner.provision(&card, &challenge, service, &mut entropy).named()?;
        check_entropy(entropy.ran_short())?;
        Ok(json!({ "message": hex(&message), "pending": self.keep(Pending::Provision(pending)) }))
    }

    fn provisioned(&mut self, request: Request<'_>) -> Outcome {
        let Some(Pending::Provision(pending)) = self.pending.get(&request.number("pending")?) else {
            return Err(Fail::request("no such provision is pending"));
        };
        let view = pending.finish(&self.owner, &request.bytes("answer")?).named()?;
        Ok(self.keep_view(request, view))
    }

    /// One that knows more stays.
    fn keep_view(&mut self, request: Request<'_>, new: NewView) -> Value {
        let name = view_name(request);
        let Ok(view) = new.put_new(self.views.remove(&name), |_| Ok::<_, Infallible>(()));
        let reply = json!({ "lock": key(view.lock().key()), "epoch": view.epoch().value() });
        self.views.insert(name, view);
        reply
    }

    fn adopt(&mut self, request: Request<'_>) -> Outcome {
        let (lock, service) = (LockId::new(request.key("lock")?), request.key("service")?);
        let view = self.owner.adopt(lock, &service, &request.bytes("statement")?).named()?;
        Ok(self.keep_view(request, view))
    }

    fn take_over(&mut self, request: Request<'_>) -> Outcome {
        let place = (LockId::new(request.key("lock")?), Epoch::new(request.number_u32("epoch")?));
        let (challenge, service) = (request.bytes("challenge")?, request.key("service")?);
        let mut entropy = request.entropy()?;
        let (message, pending) = self.owner.take_over(place, service, &challenge, &mut entropy).named()?;
        check_entropy(entropy.ran_short())?;
        Ok(json!({ "message": hex(&message), "pending": self.keep(Pending::Takeover(pending)) }))
    }

    fn taken_over(&mut self, request: Request<'_>) -> Outcome {
        let Some(Pending::Takeover(pending)) = self.pending.get(&request.number("pending")?) else {
            return Err(Fail::request("no such takeover is pending"));
        };
        let view = pending.finish(&self.owner, &request.bytes("answer")?).named()?;
        Ok(self.keep_view(request, view))
    }

    /// Whatever can be ordered, by the names of the spec: `set_clock` is an [`Order::SetClock`].
    fn order(&mut self, op: &str, request: Request<'_>) -> Outcome {
        let order = serde_json::from_value::<Order>(json!({ camel(op): request.0 }));
        let order = order.map_err(|error| Fail::request(format!("an owner has no such op {op}: {error}")))?;
        let (challenge, mut rng) = (request.bytes("challenge")?, request.entropy()?);
        let (owner, view) = self.view(request)?;
        let staged = owner.order(view, order, &challenge, &mut rng);
        let (message, pending) = store(staged.named()?);
        check_entropy(rng.ran_short())?;
        Ok(json!({ "message": hex(&message), "pending": self.keep(Pending::Command(pending)) }))
    }

    fn done(&mut self, request: Request<'_>) -> Outcome {
        let Some(Pending::Command(pending)) = self.pending.get(&request.number("pending")?) else {
            return Err(Fail::request("no such command is pending"));
        };
        let view = self.views.get_mut(&view_name(request)).ok_or_else(|| Fail::request("no such view"))?;
        let came = store(pending.finish(&self.owner, view, &request.bytes("answer")?).named()?);
        Ok(json!({ "completed": done(&came.fact), "learned": learned(&came) }))
    }

    fn share(&mut self, op: &str, request: Request<'_>) -> Outcome {
        let (slot, rights, limits) = (request.slot()?, request.rights()?, request.limits()?);
        let (owner, view) = self.view(request)?;
        let grant = if op == "share" {
            store(owner.share(view, slot, request.key("subject")?, Method::Account, rights, limits).named()?)
        } else {
            let code = ShareCode::parse(request.text("code")?).named()?;
            store(owner.share_by_code(view, slot, code, rights, limits).named()?);
            store(owner.code_shown(view, slot).named()?)
        };
        Ok(json!({ "message": hex(grant) }))
    }

    fn withdraw(&mut self, op: &str, request: Request<'_>) -> Outcome {
        let slot = request.slot()?;
        let (owner, view) = self.view(request)?;
        let staged = if op == "withdraw" {
            owner.withdraw(view, slot)
        } else {
            let generation = Generation::new(request.number_u32("generation")?);
            let grant = Digest::from_bytes(request.array("grant")?);
            owner.withdraw_key(view, slot, GrantRef { generation, grant })
        };
        Ok(json!({ "message": hex(store(staged.named()?)) }))
    }

    fn learn(&mut self, request: Request<'_>) -> Outcome {
        let (owner, view) = self.view(request)?;
        let news = store(owner.learn(view, &request.bytes("message")?).named()?);
        Ok(json!({ "learned": learned(&news) }))
    }

    fn moved(&mut self, request: Request<'_>) -> Outcome {
        let (owner, view) = self.view(request)?;
        let news = store(owner.moved(view, &request.bytes("message")?, &request.key("service")?).named()?);
        Ok(json!({ "learned": learned(&news) }))
    }

    fn ask(&mut self, request: Request<'_>) -> Outcome {
        let (slot, time, mut entropy) = (request.slot()?, request.time("time")?, request.entropy()?);
        let (owner, view) = self.view(request)?;
        let (message, pending) = owner.ask(view, slot, time, &mut entropy).named()?;
        check_entropy(entropy.ran_short())?;
        Ok(json!({ "message": hex(message), "pending": self.keep(Pending::Report(pending)) }))
    }

    fn see(&mut self, request: Request<'_>) -> Outcome {
        let Some(Pending::Report(pending)) = self.pending.remove(&request.number("pending")?) else {
            return Err(Fail::request("no such request waits"));
        };
        let answer = request.bytes("answer")?;
        let (owner, view) = self.view(request)?;
        let seen = store(owner.see(view, pending, &answer).named()?);
        Ok(json!({
            "learned": seen.learned.iter().map(learned).collect::<Vec<_>>(),
            "equivocation": seen.equivocation.as_ref().map(equivocation),
        }))
    }

    fn status(&mut self, request: Request<'_>) -> Outcome {
        let slot = request.slot()?;
        let (_, view) = self.view(request)?;
        let status = view.status(slot);
        let known = view.slot(slot);
        Ok(json!({
            "standing": format!("{:?}", view.standing()),
            "epoch": view.epoch().value(),
            "slot_count": view.slot_count().value(),
            "state": status.state.map(|state| format!("{state:?}")),
            "highest": known.map_or(0, |slot| slot.highest().value()),
            "floor": known.map_or(0, |slot| slot.floor().value()),
            "last_told": known.map_or(0, |slot| slot.last_told().value()),
            "shared": status.shared.as_ref().map(key_status),
            "may_open": status.may_open.iter().map(key_status).collect::<Vec<_>>(),
            "inspected": status.inspected,
            "as_of": status.as_of.map(|as_of| json!({ "version": as_of.version, "time": as_of.time.unix_seconds() })),
            "nobody_can_open": status.nobody_can_open().map(Timestamp::unix_seconds),
        }))
    }
}

fn camel(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn issue(request: Request<'_>) -> Outcome {
    let mut entropy = request.entropy()?;
    let code = ShareCode::issue(&mut entropy);
    check_entropy(entropy.ran_short())?;
    Ok(json!({ "code": code.expose().as_str() }))
}
