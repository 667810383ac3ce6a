//! The guest's role: one identity, one download at a time.

use serde_json::{Value, json};
use sharekey::code::ShareCode;
use sharekey::guest::{Account, AwaitingReply, Claimed, GuestKey, Installing};
use sharekey::secret::Seed;

use super::fail::{Fail, Named, Outcome};
use super::form::{hex, key};
use super::lock::check_entropy;
use super::request::Request;
use crate::Provider;

pub struct Guest {
    account: Account<Provider>,
    claimed: Option<Claimed>,
    attempt: Option<Installing>,
    release: Option<Vec<u8>>,
    key: Option<GuestKey>,
    awaiting: Option<AwaitingReply>,
}

fn need<'a, T>(value: &'a Option<T>, what: &str) -> Result<&'a T, Fail> {
    value.as_ref().ok_or_else(|| Fail::request(format!("the guest has no {what}")))
}

impl Guest {
    /// A guest with an account, or with a share code.
    pub fn make(request: Request<'_>) -> Result<(Self, Value), Fail> {
        let account = if request.get("code").is_some() {
            Account::redeem(&Provider, ShareCode::parse(request.text("code")?).named()?)
        } else {
            Account::from_seed(&Provider, &Seed::from_bytes(request.array("seed")?))
        };
        let account = account.named()?;
        let reply = json!({ "key": key(account.public_key()) });
        Ok((Self { account, claimed: None, attempt: None, release: None, key: None, awaiting: None }, reply))
    }

    pub fn handle(&mut self, op: &str, request: Request<'_>) -> Outcome {
        match op {
            "ask" => self.ask(request),
            "claim" => self.claim(request),
            "install" => self.install(request),
            "bundle" => self.bundle(request),
            "finish" => self.finish(request),
            "unlock" => self.unlock(request),
            "reply" => self.reply(request),
            other => Err(Fail::request(format!("a guest has no op {other}"))),
        }
    }

    fn ask(&mut self, request: Request<'_>) -> Outcome {
        let (service, time, mut entropy) = (request.key("service")?, request.time("time")?, request.entropy()?);
        let message = self.account.ask(&Provider, &service, time, &mut entropy).named()?;
        check_entropy(entropy.ran_short())?;
        Ok(json!({ "message": hex(message) }))
    }

    fn claim(&mut self, request: Request<'_>) -> Outcome {
        let owner = request.get("owner").map(|_| request.key("owner")).transpose()?;
        let mut entropy = request.entropy()?;
        let claimed = self.account.claim(&Provider, &request.bytes("grant")?, owner.as_ref(), &mut entropy);
        let claimed = claimed.named()?.stored();
        check_entropy(entropy.ran_short())?;
        let reply = json!({ "claim": hex(claimed.claim()) });
        self.claimed = Some(claimed);
        Ok(reply)
    }

    fn install(&mut self, request: Request<'_>) -> Outcome {
        let mut entropy = request.entropy()?;
        let claimed = need(&self.claimed, "claim")?;
        let attempt = claimed.install(&Provider, &request.bytes("challenge")?, &mut entropy).named()?.stored();
        check_entropy(entropy.ran_short())?;
        let reply = json!({ "claim": hex(attempt.claim()), "install": hex(attempt.install()) });
        (self.attempt, self.release) = (Some(attempt), None);
        Ok(reply)
    }

    fn bundle(&mut self, request: Request<'_>) -> Outcome {
        let release = request.bytes("release")?;
        let attempt = need(&self.attempt, "install")?;
        let reply = json!({ "message": hex(attempt.bundle(&Provider, &release).named()?.bundle()) });
        self.release = Some(release);
        Ok(reply)
    }

    fn finish(&mut self, request: Request<'_>) -> Outcome {
        let (attempt, release) = (need(&self.attempt, "install")?, need(&self.release, "release")?);
        let download = attempt.bundle(&Provider, release).named()?;
        let found = download.finish(&Provider, &request.bytes("answer")?).named()?.stored();
        let reply = json!({
            "lock": key(found.lock().key()),
            "epoch": found.epoch().value(),
            "slot": found.slot().index(),
            "generation": found.generation().value(),
            "receipt": hex(found.receipt()),
        });
        self.key = Some(found);
        Ok(reply)
    }

    fn unlock(&mut self, request: Request<'_>) -> Outcome {
        let (action, mut entropy) = (request.action()?, request.entropy()?);
        let found = need(&self.key, "key")?;
        let (message, awaiting) =
            found.unlock(&Provider, &request.bytes("challenge")?, action, &mut entropy).named()?;
        check_entropy(entropy.ran_short())?;
        self.awaiting = Some(awaiting);
        Ok(json!({ "message": hex(&message) }))
    }

    fn reply(&mut self, request: Request<'_>) -> Outcome {
        let (found, awaiting) = (need(&self.key, "key")?, need(&self.awaiting, "unlock")?);
        let battery = found.check_reply(&Provider, awaiting, &request.bytes("answer")?).named()?;
        Ok(json!({ "battery": u8::from(battery) }))
    }
}
