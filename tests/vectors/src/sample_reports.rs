//! The messages by which a phone or a guest asks the service, and the report.

use sharekey::counter::{Epoch, Term};
use sharekey::id::{SlotCount, SlotId};
use sharekey::message::{FindRequest, Report, ReportAnswer, ReportRequest};
use sharekey::slot::State;

use super::forge;
use super::keys::{digest, lock, nonce, public, seed};
use super::samples::{FROM, SLOTS, Sample, at, chain, provision, signed};
use crate::provider::Provider;

/// The owner asks for the report of the slot while the first grant is shared.
pub fn reports() -> Vec<Sample> {
    let (id, epoch, slot) = (lock("lock"), Epoch::FIRST, SlotId::new(3));
    let asked = nonce("nonce of a request");
    let request = ReportRequest { lock: id, epoch, by: Term::OWNER, slot, nonce: asked, time: at(FROM) };
    let highest =
        ReportRequest { epoch: Epoch::MAX, by: Term::MAX, slot: SlotId::new(255), time: at(u64::MAX), ..request };
    let ownership = forge::signed(&provision().1, &seed("lock"));
    let messages = ReportAnswer::digest(&Provider, [&ownership[..], &chain()[0]].into_iter());
    let answered = digest(&forge::signed(&request, &seed("owner")));
    let (state, slots) = (State::Sharing, SLOTS);
    let report = Report { request: answered, lock: id, epoch, slot, version: 3, state, slots, messages };
    let find = FindRequest { service: public("service"), subject: public("subject"), nonce: asked, time: at(FROM) };
    let mut all = vec![
        signed("of that slot", &request, "owner"),
        signed("the highest numbers", &highest, "owner"),
        signed("of that record", &report, "service"),
        signed(
            "the highest numbers",
            &Report { epoch: Epoch::MAX, version: u64::MAX, slots: SlotCount::MAX, ..report },
            "service",
        ),
        signed("of that account", &find, "subject"),
    ];
    let others = State::ALL.iter().filter(|state| **state != State::Sharing);
    all.extend(others.map(|state| signed(&format!("{state:?}"), &Report { state: *state, ..report }, "service")));
    all
}
