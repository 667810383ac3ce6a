//! Of `owner_errors.json`: what an owner's phone asks the service, and which answers it takes in.

use serde_json::{Value, json};
use sharekey::counter::Epoch;
use sharekey::id::{SlotCount, SlotId};
use sharekey::message::{Completed, Done, Grant, Holding, Provisioned, Report, SlotReport, WithdrawnOutcome};
use sharekey::slot::State;
use sharekey::wire::Unverified;

use super::desk::{
    NOW, SLOT, SLOTS, activated, answer, answered, by_lock, challenge, deactivated, done, done_body, grant, grant_body,
    number, receipt, report_body, statement, transfer_done, twin, withdrawn,
};
use super::forge::signed;
use super::keys::{lock, public, seed, some_digest};
use super::owner::{Phone, Sent};
use super::peer::form::{hex, key};
use super::samples::FROM;

type Messages = Vec<Vec<u8>>;

impl Phone {
    fn ask_request(&mut self) -> Value {
        json!({
            "role": "owner", "op": "ask", "slot": SLOT.index(), "time": NOW.unix_seconds(), "entropy": self.nonce(),
        })
    }

    fn asked(&mut self) -> Sent {
        let request = self.ask_request();
        self.sent(request)
    }

    /// Asks, and gets what is made of the request.
    #[track_caller]
    fn sees(&mut self, made: impl FnOnce(&[u8]) -> Vec<u8>) -> Value {
        let sent = self.asked();
        self.scene.ask(Self::answer("see", &sent, &made(&sent.message)))
    }

    #[track_caller]
    fn sees_not(&mut self, made: impl FnOnce(&[u8]) -> Vec<u8>, error: &str) {
        let sent = self.asked();
        self.scene.refused(Self::answer("see", &sent, &made(&sent.message)), error);
    }

    fn status(&mut self) {
        self.scene.ask(Self::slot_request("status"));
    }
}

/// The messages behind the statement of ownership by which the record was opened.
fn owned(messages: &[Vec<u8>]) -> Messages {
    [&[by_lock(&statement())], messages].concat()
}

/// An answer with another version.
fn of_version(version: u64, messages: Messages) -> impl FnOnce(&[u8]) -> Vec<u8> {
    move |request| answer(&Report { version, ..report_body(request, &messages) }, &messages)
}

pub fn reports() -> Vec<Value> {
    let mut cases = vec![wrong_reports(), wrong_ownership(), wrong_messages(), versions()];
    cases.extend(contradictions());
    cases.extend(moves());
    cases.push(moved());
    cases.push(nobody());
    cases.push(slots());
    cases
}

/// An answer whose report has something changed, and fits its messages.
fn with(change: impl Fn(&mut Report)) -> impl FnOnce(&[u8]) -> Vec<u8> {
    move |request| {
        let told = owned(&[grant(2)]);
        let mut body = report_body(request, &told);
        change(&mut body);
        answer(&body, &told)
    }
}

fn wrong_reports() -> Value {
    let mut phone = Phone::sharing("a report: every wrong one, then the right one, and that again");
    let told = owned(&[grant(2)]);
    let good = |request: &[u8]| answer(&report_body(request, &owned(&[grant(2)])), &owned(&[grant(2)]));
    let cut = |request: &[u8]| good(request)[..good(request).len() - 1].to_vec();
    phone.sees_not(|_| Vec::new(), "Wire.Truncated");
    phone.sees_not(cut, "Wire.Truncated");
    let many = |count: usize| vec![by_lock(&statement()); count];
    phone.sees_not(|_| answered(&grant(2), &many(65)), "Wire.TooLong");
    phone.sees_not(|_| answered(&grant(2), &many(64)), "Wire.Kind");
    phone.sees_not(|_| answered(&grant(2), &[vec![0; 257]]), "Wire.TooLong");
    phone.sees_not(|_| answered(&grant(2), &[vec![0; 256]]), "Wire.Kind");
    let strangers = |request: &[u8]| answered(&signed(&report_body(request, &told), &seed("stranger")), &told);
    phone.sees_not(strangers, "ReportSignature.Mismatch");
    phone.sees_not(with(|body| body.request = some_digest("another request")), "OtherRequest");
    phone.sees_not(with(|body| body.lock = lock("stranger")), "WrongLock");
    phone.sees_not(with(|body| body.slot = SlotId::new(0)), "WrongSlot");
    for others in
        [owned(&[]), owned(&[twin(2)]), owned(&[grant(2), receipt(&grant(2), 2)]), vec![grant(2), told[0].clone()]]
    {
        phone.sees_not(|request| answer(&report_body(request, &told), &others), "OtherMessages");
    }
    phone.sees_not(with(|body| body.epoch = Epoch::new(2)), "WrongEpoch");
    phone.status();
    let (first, second) = (phone.asked(), phone.asked());
    phone.scene.refused(Phone::answer("see", &second, &good(&first.message)), "OtherRequest");
    phone.scene.ask(Phone::answer("see", &first, &good(&first.message)));
    phone.sees(good);
    phone.case("RPT-9")
}

/// What a report begins with.
fn wrong_ownership() -> Value {
    let mut phone = Phone::sharing("a report: every wrong statement of ownership, then the right one");
    let (owner, service) = (public("owner"), public("service"));
    let good = statement();
    let strangers = |epoch| {
        let transfer = transfer_done(owner, service, epoch);
        signed(Unverified::<Done>::parse(&transfer).unwrap().claims(), &seed("stranger"))
    };
    let starts = [
        (vec![], "NoOwnership"),
        (vec![grant(2)], "NoOwnership"),
        (vec![done(activated(1))], "NoOwnership"),
        (vec![by_lock(&good)[..183].to_vec()], "Wire.Truncated"),
        (vec![b"SK\x01\x20".to_vec()], "Wire.Value"),
        (vec![signed(&good, &seed("stranger"))], "ProvisionedSignature.Mismatch"),
        (vec![strangers(2)], "DoneSignature.Mismatch"),
        (vec![by_lock(&Provisioned { lock: lock("stranger"), ..good })], "WrongLock"),
        (vec![by_lock(&Provisioned { epoch: Epoch::new(2), ..good })], "WrongEpoch"),
        (vec![by_lock(&Provisioned { owner: public("stranger"), ..good })], "WrongOwner"),
        (vec![by_lock(&Provisioned { service: public("stranger"), ..good })], "WrongService"),
        (vec![transfer_done(owner, service, 0)], "WrongEpoch"),
        (vec![transfer_done(public("next owner"), service, 1)], "WrongOwner"),
        (vec![transfer_done(owner, public("next service"), 1)], "WrongService"),
        (vec![transfer_done(owner, public("next service"), 2)], "WrongService"),
        (vec![transfer_done(public("next owner"), public("next service"), 2)], "WrongService"),
        // The report itself is of the epoch before.
        (vec![transfer_done(owner, service, 2)], "WrongEpoch"),
    ];
    for (told, error) in starts {
        phone.sees_not(|request| answer(&report_body(request, &told), &told), error);
    }
    let same = vec![transfer_done(owner, service, 1), grant(2)];
    phone.sees(|request| answer(&report_body(request, &same), &same));
    phone.case("RPT-13")
}

fn wrong_messages() -> Value {
    let mut phone = Phone::sharing("a report: every wrong message in it, and nothing changed");
    let elsewhere = signed(&Grant { slot: SlotId::new(0), ..grant_body(3) }, &seed("owner"));
    let to_others = transfer_done(public("next owner"), public("service"), 2);
    let set = Completed::SetClock { to: NOW };
    for (message, error) in [
        (challenge("challenge"), "NothingToLearn"),
        (by_lock(&statement()), "NothingToLearn"),
        (signed(&grant_body(3), &seed("stranger")), "GrantSignature.Mismatch"),
        (signed(&Grant { epoch: Epoch::new(2), ..grant_body(3) }, &seed("owner")), "WrongEpoch"),
        (elsewhere, "WrongSlot"),
        (done(set), "WrongSlot"),
        (to_others, "WrongSlot"),
    ] {
        let told = owned(&[receipt(&grant(2), 2), message]);
        phone.sees_not(|request| answer(&report_body(request, &told), &told), error);
    }
    phone.case("RPT-14")
}

fn versions() -> Value {
    let mut phone = Phone::sharing("reports, and an older one");
    phone.sees(of_version(5, owned(&[grant(2)])));
    phone.sees_not(of_version(4, owned(&[grant(2), receipt(&grant(2), 2)])), "OlderReport");
    phone.status();
    phone.sees(of_version(7, owned(&[grant(2), receipt(&grant(2), 2)])));
    phone.sees(of_version(u64::MAX, owned(&[])));
    phone.sees_not(of_version(8, owned(&[])), "OlderReport");
    phone.case("SLO-5")
}

fn contradictions() -> Vec<Value> {
    let mut cases = Vec::new();
    let slots = |count| SlotCount::new(count).unwrap();
    for (name, (state, slots), told) in [
        (
            "two reports of one version, of other messages",
            (State::Sharing, SLOTS),
            owned(&[grant(2), receipt(&grant(2), 2)]),
        ),
        ("two reports of one version, of another state", (State::Shared, SLOTS), owned(&[grant(2)])),
        ("two reports of one version, of more slots", (State::Sharing, slots(11)), owned(&[grant(2)])),
    ] {
        let mut phone = Phone::sharing(name);
        assert!(phone.sees(of_version(5, owned(&[grant(2)])))["equivocation"].is_null());
        let seen = phone.sees(|request| answer(&Report { state, slots, ..report_body(request, &told) }, &told));
        assert_eq!(seen["equivocation"]["type"], "ReportsContradict");
        // The first two stay the evidence.
        phone.sees(of_version(6, owned(&[grant(2)])));
        phone.sees(of_version(6, owned(&[])));
        cases.push(phone.case("RPT-15"));
    }
    let mut phone = Phone::sharing("reports of two versions may differ, and a repeated one does not");
    for (version, told) in [(5, owned(&[grant(2)])), (5, owned(&[grant(2)])), (6, owned(&[]))] {
        assert!(phone.sees(of_version(version, told))["equivocation"].is_null());
    }
    cases.push(phone.case("RPT-15"));
    let mut phone = Phone::sharing("a report whose messages convict the service");
    let told = owned(&[receipt(&grant(2), 2), grant(2), withdrawn(&grant(2), 2, WithdrawnOutcome::NeverReleased)]);
    let seen = phone.sees(|request| answer(&report_body(request, &told), &told));
    assert_eq!(seen["learned"][2]["type"], "ServiceEquivocated");
    cases.push(phone.case("OWN-11"));
    cases
}

/// The lock was transferred while the phone was away.
fn moves() -> Vec<Value> {
    let second = |request: &[u8], told: &Messages| {
        answer(&Report { epoch: Epoch::new(2), version: 1, ..report_body(request, told) }, told)
    };
    let mut phone = Phone::sharing("a report that begins with a transfer to oneself");
    phone.sees(of_version(5, owned(&[grant(2)])));
    let body = Grant { epoch: Epoch::new(2), ..grant_body(1) };
    let told = vec![transfer_done(public("owner"), public("service"), 2), signed(&body, &seed("owner"))];
    phone.sees(|request| second(request, &told));
    let mut cases = vec![phone.case("RPT-12")];
    let mut phone = Phone::sharing("a report that begins with a transfer to another owner");
    let told = vec![transfer_done(public("next owner"), public("service"), 2)];
    phone.sees(|request| second(request, &told));
    let request = phone.ask_request();
    phone.scene.refused(request, "Transferred");
    cases.push(phone.finish("RPT-12"));
    cases
}

/// The owner knows from elsewhere that the lock went over to another service.
fn moved() -> Value {
    let mut phone = Phone::sharing("a transfer to another service that the owner knows of");
    let (owner, next) = (public("owner"), public("next service"));
    let request = |message: &[u8], service: &str| json!({ "role": "owner", "op": "moved", "message": hex(message), "service": key(&public(service)) });
    for (message, service, error) in [
        (transfer_done(owner, next, 2)[..90].to_vec(), "next service", "Wire.Truncated"),
        (grant(2), "next service", "Wire.Kind"),
        (transfer_done(owner, next, 1), "next service", "OldEpoch"),
        (done(deactivated(3)), "next service", "NotATransfer"),
        (transfer_done(owner, next, 2), "service", "WrongService"),
        (transfer_done(owner, next, 2), "stranger", "WrongService"),
    ] {
        phone.scene.refused(request(&message, service), error);
    }
    phone.scene.ask(request(&transfer_done(owner, next, 2), "next service"));
    let told = vec![transfer_done(owner, next, 2)];
    let of_second = |request: &[u8]| Report { epoch: Epoch::new(2), ..report_body(request, &told) };
    phone.sees_not(|request| answer(&of_second(request), &told), "ReportSignature.Mismatch");
    phone.sees(|request| answered(&signed(&of_second(request), &seed("next service")), &told));
    phone.case("RPT-13")
}

/// That nobody can open is known of a moment, by a report alone.
fn nobody() -> Value {
    let mut phone = Phone::active("that nobody can open is said by a report, as of the moment of its request");
    phone.status();
    let told = owned(&[done(activated(1))]);
    let mut request = phone.ask_request();
    request["time"] = FROM.into();
    let sent = phone.sent(request);
    let body = Report { state: State::NotShared, ..report_body(&sent.message, &told) };
    phone.scene.ask(Phone::answer("see", &sent, &answer(&body, &told)));
    phone.status();
    phone.learn(&grant(2));
    phone.case("RPT-16")
}

/// How many slots the lock has: the highest number that was named.
fn slots() -> Value {
    let mut phone = Phone::sharing("the number of slots never goes down, whoever names fewer");
    let many = |count| SlotCount::new(count).unwrap();
    phone.status();
    for (version, count) in [(5, 3), (6, 12), (7, 11)] {
        let told = owned(&[grant(2)]);
        phone.sees(|request| answer(&Report { version, slots: many(count), ..report_body(request, &told) }, &told));
        phone.status();
    }
    let left = SlotReport { floor: number(1), holding: Holding::Empty };
    for count in [4, 16] {
        phone.learn(&done(Completed::Inspect { slot: SLOT, slots: many(count), left }));
        phone.status();
    }
    let (owner, service) = (public("owner"), public("service"));
    let transfer = done_body(some_digest("a transfer"), Completed::Transfer { owner, service, slots: many(8) });
    phone.learn(&by_lock(&Done { epoch: Epoch::new(2), ..transfer }));
    phone.status();
    phone.case("RPT-18")
}
