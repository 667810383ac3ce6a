//! Who plays: the keys of everybody, and entropy that depends only on who draws it and for what.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sharekey::crypto::{Hash as _, PublicKey};
use sharekey::guest::Account;
use sharekey::id::{LockId, SlotCount, SlotId};
use sharekey::message::{self, ReportAnswer};
use sharekey::owner::Owner;
use sharekey::service::{Service, ShareRecord};
use sharekey::wire::Unverified;
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::desk::{NOW, request_of};
use sharekey_stage::forge::Forge;

use super::net::{Report, digest};
pub use sharekey_stage::seed;
pub use sharekey_stage::store::stored as never;

pub const CARD: [u8; 16] = [7; 16];

pub const OLGA: u8 = 1;
pub const CLOUD: u8 = 2;
/// Who gets the lock after Olga.
pub const OTTO: u8 = 3;
pub const ANA: u8 = 10;
pub const BEN: u8 = 11;

/// Makes what the attacker can make from the keys that it holds.
pub const FORGE: Forge<Symbolic> = Forge::new();

/// Entropy for one drawing. The same drawing in two states gives the same bytes, so that they merge.
pub fn entropy(what: &[&[u8]]) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(Symbolic.sha256(what))
}

pub fn key_of(role: u8) -> PublicKey {
    FORGE.public(&seed(role))
}

pub fn owner(role: u8) -> Owner<Symbolic> {
    Owner::new(Symbolic, &seed(role)).unwrap()
}

/// How many slots the lock has.
pub fn slots() -> SlotCount {
    u8::try_from(super::lock::SLOTS).ok().and_then(SlotCount::new).unwrap()
}

/// The answer to a request, by the service's key.
pub fn answer(request: &[u8], report: &Report) -> Vec<u8> {
    let messages: Vec<&[u8]> = report.messages.iter().map(Vec::as_slice).collect();
    let body = message::Report {
        request: digest(request),
        lock: Unverified::<message::ReportRequest>::parse(request).unwrap().claims().lock,
        epoch: report.epoch,
        slot: SlotId::new(report.slot),
        version: report.version,
        state: report.state,
        slots: slots(),
        messages: digest(b""),
    };
    FORGE.report(body, &messages, &seed(CLOUD))
}

pub fn account(role: u8) -> Account<Symbolic> {
    Account::from_seed(&Symbolic, &seed(role)).unwrap()
}

/// The roles that are the same in every state.
pub struct Cast {
    pub lock: LockId,
    pub service: Service<Symbolic>,
}

impl Cast {
    pub fn new(lock: LockId) -> Self {
        Self { lock, service: Service::new(Symbolic, &seed(CLOUD)).unwrap() }
    }

    /// What the service reports of a record to its owner; nothing, where the lock is another service's.
    pub fn reported(&self, slot: u8, record: &ShareRecord) -> Option<Report> {
        let owner = [OLGA, OTTO].into_iter().find(|role| key_of(*role) == *record.owner())?;
        let request = FORGE.signed(&request_of(record), &seed(owner));
        let answer = self.service.report(record, &request, NOW).ok()?;
        let answer = ReportAnswer::parse(&answer).unwrap();
        let body = *Unverified::<message::Report>::parse(answer.report).unwrap().claims();
        let message::Report { epoch, version, state, .. } = body;
        Some(Report { slot, epoch, version, state, messages: answer.messages().map(Vec::from).collect() })
    }
}
