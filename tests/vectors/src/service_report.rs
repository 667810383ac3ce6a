//! Of `service_errors.json`: whom a service tells what, and what.

use serde_json::{Value, json};
use sharekey::counter::{Epoch, Generation, Term};
use sharekey::id::{SlotCount, SlotId};
use sharekey::limits::Timestamp;
use sharekey::message::{Completed, Done, FindRequest, Holding, ReportRequest, SlotReport};

use super::desk::{NOW, SLOT, by_lock, done, done_body, grant, receipt, request_body, transfer_done, withdraw};
use super::forge::signed;
use super::keys::{lock, nonce, public, seed, some_digest};
use super::peer::form::hex;
use super::service::Cloud;

const VACANT: SlotReport = SlotReport { floor: Generation::new(3), holding: Holding::Empty };

fn by_owner(body: &ReportRequest) -> Vec<u8> {
    signed(body, &seed("owner"))
}

/// A moment that is so far from now.
fn off(by: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOW.unix_seconds().checked_add_signed(by).unwrap())
}

impl Cloud {
    fn asking(message: &[u8]) -> Value {
        let mut request = Self::request("report", &[("message", message)]);
        request["time"] = NOW.unix_seconds().into();
        request
    }

    #[track_caller]
    fn reports(&mut self, message: &[u8]) -> Value {
        self.scene.ask(Self::asking(message))
    }

    #[track_caller]
    fn reports_not(&mut self, message: &[u8], error: &str) {
        self.scene.refused(Self::asking(message), error);
    }
}

pub fn reports() -> Vec<Value> {
    let good = request_body();
    let mut cloud = Cloud::shared("a report: every wrong request, then the right one");
    for (message, error) in [
        (by_owner(&good)[..132].to_vec(), "Wire.Truncated"),
        (grant(2), "Wire.Kind"),
        (by_owner(&ReportRequest { by: Term::new(1), ..good }), "UnknownSigner"),
        (signed(&ReportRequest { by: Term::MAX, ..good }, &seed("stranger")), "UnknownSigner"),
        (signed(&good, &seed("stranger")), "RequestSignature.Mismatch"),
        (signed(&good, &seed("service")), "RequestSignature.Mismatch"),
        (by_owner(&ReportRequest { lock: lock("stranger"), ..good }), "WrongLock"),
        (by_owner(&ReportRequest { epoch: Epoch::new(2), ..good }), "WrongEpoch"),
        (by_owner(&ReportRequest { slot: SlotId::new(0), ..good }), "WrongSlot"),
        (by_owner(&ReportRequest { time: off(-301), ..good }), "RequestTime"),
        (by_owner(&ReportRequest { time: off(301), ..good }), "RequestTime"),
        (by_owner(&ReportRequest { time: Timestamp::from_unix_seconds(0), ..good }), "RequestTime"),
        (by_owner(&ReportRequest { time: Timestamp::from_unix_seconds(u64::MAX), ..good }), "RequestTime"),
        // The first check names the error.
        (by_owner(&ReportRequest { lock: lock("stranger"), epoch: Epoch::new(2), ..good }), "WrongLock"),
        (by_owner(&ReportRequest { epoch: Epoch::new(2), slot: SlotId::new(0), ..good }), "WrongEpoch"),
        (by_owner(&ReportRequest { slot: SlotId::new(0), time: off(301), ..good }), "WrongSlot"),
    ] {
        cloud.reports_not(&message, error);
    }
    for time in [off(-300), off(300), NOW] {
        cloud.reports(&by_owner(&ReportRequest { time, ..good }));
    }
    // As long as the time fits, the same request is answered the same.
    cloud.reports(&by_owner(&good));
    let mut cases = vec![cloud.case("RPT-4")];
    let mut cloud = Cloud::active("a report holds what the record holds");
    cloud.reports(&by_owner(&good));
    cloud.message("publish", &grant(2));
    cloud.reports(&by_owner(&good));
    cloud.release(&grant(2), "device", "challenge");
    cloud.reports(&by_owner(&good));
    cloud.message("confirm", &receipt(&grant(2), 2));
    cloud.message("withdraw", &withdraw(&grant(2), 2));
    cloud.message("publish", &grant(3));
    cloud.reports(&by_owner(&good));
    cases.push(cloud.case("RPT-6"));
    let mut cloud = Cloud::opened("a report of a slot of which nothing is known");
    cloud.reports(&by_owner(&good));
    cases.push(cloud.case("RPT-7"));
    let mut cloud = Cloud::active("a report names the highest number of slots that the lock named");
    cloud.message("publish", &grant(2));
    cloud.message("done", &done(Completed::Inspect { slot: SLOT, slots: SlotCount::MAX, left: VACANT }));
    cloud.reports(&by_owner(&good));
    let transfer = done_body(
        some_digest("a transfer"),
        Completed::Transfer { owner: public("owner"), service: public("service"), slots: SlotCount::new(3).unwrap() },
    );
    let transfer = by_lock(&Done { epoch: Epoch::new(2), ..transfer });
    cloud.scene.ask(Cloud::request("reopen", &[("statement", &transfer)]));
    cloud.reports(&by_owner(&good));
    cases.push(cloud.case("RPT-17"));
    cases.extend(of_later_ownerships());
    cases
}

fn of_later_ownerships() -> Vec<Value> {
    let good = request_body();
    let reopened = |name: &str, owner: &str, service: &str| {
        let mut cloud = Cloud::sharing(name);
        let transfer = transfer_done(public(owner), public(service), 2);
        cloud.scene.ask(Cloud::request("reopen", &[("statement", &transfer)]));
        cloud
    };
    let mut cloud = reopened("a report after a transfer to the same owner", "owner", "service");
    cloud.reports(&by_owner(&good));
    cloud.reports(&by_owner(&ReportRequest { epoch: Epoch::new(2), ..good }));
    cloud.reports_not(&by_owner(&ReportRequest { epoch: Epoch::new(3), ..good }), "WrongEpoch");
    let mut cases = vec![cloud.case("RPT-3")];
    let mut cloud = reopened("a former owner is told nothing", "stranger", "service");
    cloud.reports_not(&by_owner(&good), "RequestSignature.Mismatch");
    cloud.reports(&signed(&ReportRequest { epoch: Epoch::new(2), ..good }, &seed("stranger")));
    cases.push(cloud.case("RPT-2"));
    let mut cloud = reopened("no report of a lock that went over", "owner", "stranger");
    cloud.reports_not(&by_owner(&good), "Moved");
    cloud.reports_not(&signed(&ReportRequest { by: Term::new(1), ..good }, &seed("stranger")), "Moved");
    cases.push(cloud.case("SVC-16"));
    cases
}

pub fn finds() -> Vec<Value> {
    let good = FindRequest {
        service: public("service"),
        subject: public("subject"),
        nonce: nonce("the guest's nonce"),
        time: NOW,
    };
    let by_subject = |body: &FindRequest| signed(body, &seed("subject"));
    let request = |message: &[u8]| json!({ "role": "service", "op": "find", "message": hex(message), "time": NOW.unix_seconds() });
    let mut cloud = Cloud::sharing("find: every wrong request, then the right one");
    for (message, error) in [
        (by_subject(&good)[..155].to_vec(), "Wire.Truncated"),
        (by_owner(&request_body()), "Wire.Kind"),
        (signed(&good, &seed("stranger")), "RequestSignature.Mismatch"),
        (by_subject(&FindRequest { subject: public("stranger"), ..good }), "RequestSignature.Mismatch"),
        (by_subject(&FindRequest { service: public("stranger"), ..good }), "OtherService"),
        (by_subject(&FindRequest { time: off(-301), ..good }), "RequestTime"),
        (by_subject(&FindRequest { time: off(301), ..good }), "RequestTime"),
        (by_subject(&FindRequest { service: public("stranger"), time: off(301), ..good }), "OtherService"),
    ] {
        cloud.scene.refused(request(&message), error);
    }
    for time in [off(-300), off(300), NOW] {
        cloud.scene.ask(request(&by_subject(&FindRequest { time, ..good })));
    }
    vec![cloud.case("FND-1")]
}
