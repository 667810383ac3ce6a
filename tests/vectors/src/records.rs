//! `records.json`: what a lock stores, and what it takes for damaged.

use serde_json::{Value, json};
use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::limits::{Limits, Rights};

use sharekey_stage::cells;
use sharekey_stage::forge::{self, label};

use super::bench::Bench;
use super::keys::{bytes32, card, public, some_digest};
use super::peer::form::{self, hex, key};
use super::peer::lock::cell_of;
use super::samples::every_limit;

/// What a slot holds.
pub enum Holds {
    Inactive,
    Empty,
    Installed(Installed),
}

/// An installed key.
#[derive(Clone, Copy)]
pub struct Installed {
    pub grant: Digest,
    pub device: PublicKey,
    pub pairing: [u8; 32],
    pub rights: Rights,
    pub limits: Limits,
    pub used: u32,
}

fn prefix(cell: u8) -> [u8; 5] {
    cells::prefix(cell_of(cell.into()).unwrap())
}

/// The record of a cell, under the key of the lock of this seed.
pub fn record(seed: &[u8], cell: u8, content: &[u8]) -> Vec<u8> {
    tagged(seed, [&prefix(cell)[..], content].concat())
}

fn tagged(seed: &[u8], covered: Vec<u8>) -> Vec<u8> {
    forge::tag(covered, &forge::derived(seed, label::RECORD_MAC))
}

fn slot_content(epoch: Epoch, floor: Generation, holds: &Holds) -> Vec<u8> {
    let mut content = [epoch.value().to_le_bytes(), floor.value().to_le_bytes()].concat();
    match holds {
        Holds::Inactive => content.push(1),
        Holds::Empty => content.push(2),
        Holds::Installed(key) => {
            content.push(3);
            content.extend(key.grant.as_bytes());
            content.extend(key.device.as_bytes());
            content.extend(key.pairing);
            content.push(u8::from(key.rights));
            content.extend(postcard::to_allocvec(&key.limits).unwrap());
            content.extend(key.used.to_le_bytes());
        }
    }
    content
}

pub fn slot(seed: &[u8], index: u8, epoch: Epoch, floor: Generation, holds: &Holds) -> Vec<u8> {
    record(seed, index + 3, &slot_content(epoch, floor, holds))
}

fn slot_fields(epoch: u32, floor: u32, holds: &Holds) -> Value {
    let holds = match holds {
        Holds::Inactive => json!({ "type": "Inactive" }),
        Holds::Empty => json!({ "type": "Empty" }),
        Holds::Installed(installed) => json!({
            "type": "Installed",
            "grant": hex(installed.grant.as_bytes()),
            "device": key(&installed.device),
            "pairing": hex(installed.pairing),
            "rights": form::form(&installed.rights),
            "limits": form::form(&installed.limits),
            "used": installed.used,
        }),
    };
    json!({ "epoch": epoch, "floor": floor, "content": holds })
}

/// The lock whose records these are: provisioned, in epoch 1.
struct Shelf {
    seed: [u8; 32],
    sound: Value,
}

impl Shelf {
    fn new() -> Self {
        let mut bench = Bench::provisioned("records");
        let sound = bench.records();
        let seed = super::bench::bytes(&sound["0"])[5..37].try_into().unwrap();
        Self { seed, sound }
    }

    /// How the cell stands in a lock that boots with these bytes in it.
    fn boot(&self, cell: u8, bytes: &[u8]) -> Value {
        let mut records = self.sound.clone();
        records[cell.to_string()] = hex(bytes);
        let mut scene = super::scene::Scene::default();
        let load = json!({ "role": "lock", "op": "load", "card": hex(card()), "records": records });
        if let Some(error) = scene.outcome(load) {
            return error.into();
        }
        let status = scene.ask(json!({ "role": "lock", "op": "status" }));
        status["cells"][cell.to_string()].clone()
    }

    fn good(&self, name: &str, cell: u8, fields: Value, bytes: &[u8]) -> Value {
        let expected = if cell == 0 { Value::Null } else { "Ready".into() };
        assert_eq!(self.boot(cell, bytes), expected, "{name}");
        json!({ "name": name, "cell": cell, "seed": hex(self.seed), "fields": fields, "bytes": hex(bytes), "found": "sound" })
    }

    fn bad(&self, name: &str, rule: &str, cell: u8, bytes: &[u8]) -> Value {
        assert_eq!(self.boot(cell, bytes), "Damaged", "{name}");
        json!({ "name": name, "rule": rule, "cell": cell, "seed": hex(self.seed), "bytes": hex(bytes), "found": "damaged" })
    }

    fn seed_record(&self, name: &str, rule: &str, bytes: &[u8], found: &str) -> Value {
        assert_eq!(self.boot(0, bytes), found, "{name}");
        json!({ "name": name, "rule": rule, "cell": 0, "bytes": hex(bytes), "found": found })
    }
}

pub fn file() -> Value {
    let shelf = Shelf::new();
    let mut cases = seeds(&shelf);
    cases.extend(headers(&shelf));
    cases.extend(counters(&shelf));
    cases.extend(slots(&shelf));
    cases.extend(damaged(&shelf));
    let shared = json!({ "card": hex(card()), "seed": hex(shelf.seed), "records": shelf.sound });
    let about = "Records of a lock of this seed, provisioned and in epoch 1, and what it takes them for when it boots with the \
                 other records as they are. found: sound, damaged, or the error of a boot.";
    super::file(about, shared, cases)
}

fn seeds(shelf: &Shelf) -> Vec<Value> {
    let covered = |last: u8| [&prefix(0)[..], &shelf.seed, &[last]].concat();
    let with = |last: u8| tagged(&shelf.seed, covered(last));
    let fields = json!({ "seed": hex(shelf.seed), "initialised": true });
    let mut foreign = covered(1);
    foreign[2] = 2;
    let foreign = tagged(&shelf.seed, foreign);
    let flipped = |at: usize| {
        let mut bytes = with(1);
        bytes[at] ^= 1;
        bytes
    };
    let another = tagged(&bytes32("another lock's seed"), covered(1));
    vec![
        shelf.seed_record("a seed record with a flipped bit in the seed", "REC-4", &flipped(20), "SeedDamaged"),
        shelf.seed_record("a seed record whose end of making was flipped", "REC-4", &flipped(37), "SeedDamaged"),
        shelf.seed_record("a seed record with a flipped bit in its MAC", "REC-4", &flipped(53), "SeedDamaged"),
        shelf.seed_record("a seed record without a MAC", "REC-4", &covered(1), "SeedDamaged"),
        shelf.seed_record("a seed record under another seed's key", "REC-4", &another, "SeedDamaged"),
        shelf.good("the seed", 0, fields, &with(1)),
        shelf.seed_record("the seed of a lock that is not made to the end", "LCK-4", &with(0), "NotMade"),
        shelf.seed_record("a seed record that says neither", "LCK-5", &with(2), "SeedDamaged"),
        shelf.seed_record("a seed record cut short", "LCK-5", &with(1)[..53], "SeedDamaged"),
        shelf.seed_record("a seed record with a byte behind it", "LCK-5", &[with(1), vec![0]].concat(), "SeedDamaged"),
        shelf.seed_record("a seed record of another version", "LCK-5", &foreign, "SeedDamaged"),
        shelf.seed_record("a seed record without bytes", "LCK-5", &[], "SeedDamaged"),
    ]
}

fn header_content(slots: u8, epoch: u32) -> Vec<u8> {
    [&[slots, 2][..], &epoch.to_le_bytes(), public("owner").as_bytes(), public("service").as_bytes()].concat()
}

/// The header of a lock with this many slots, in this epoch.
pub fn header(seed: &[u8], slots: u8, epoch: u32) -> Vec<u8> {
    record(seed, 1, &header_content(slots, epoch))
}

fn counter_content(ceiling: u64, latest: u64, set_in: u32) -> Vec<u8> {
    [&ceiling.to_le_bytes()[..], &latest.to_le_bytes(), &set_in.to_le_bytes()].concat()
}

/// The counter's record, whose clock was set in this epoch.
pub fn counter(seed: &[u8], ceiling: u64, latest: u64, set_in: u32) -> Vec<u8> {
    record(seed, 2, &counter_content(ceiling, latest, set_in))
}

fn headers(shelf: &Shelf) -> Vec<Value> {
    let owned = |epoch: u32| {
        let fields = json!({ "slots": 3, "type": "Owned", "epoch": epoch, "owner": key(&public("owner")), "service": key(&public("service")) });
        shelf.good(&format!("a header of epoch {epoch}"), 1, fields, &header(&shelf.seed, 3, epoch))
    };
    let fresh = json!({ "slots": 3, "type": "Unprovisioned" });
    vec![
        owned(1),
        owned(u32::MAX),
        shelf.good("a header without an owner", 1, fresh, &record(&shelf.seed, 1, &[3, 1])),
        shelf.bad("a header of an undefined form", "REC-3", 1, &record(&shelf.seed, 1, &[3, 3])),
        shelf.bad("a header of form 0", "REC-3", 1, &record(&shelf.seed, 1, &[3, 0])),
        shelf.bad("a header cut short", "REC-3", 1, &record(&shelf.seed, 1, &header_content(3, 1)[..69])),
        shelf.bad(
            "a header with a byte behind it",
            "REC-3",
            1,
            &record(&shelf.seed, 1, &[&header_content(3, 1)[..], &[0]].concat()),
        ),
    ]
}

fn counters(shelf: &Shelf) -> Vec<Value> {
    let with = |ceiling: u64, latest: u64, set_in: u32| {
        let fields = json!({ "ceiling": ceiling, "latest": latest, "set_in": set_in });
        let bytes = counter(&shelf.seed, ceiling, latest, set_in);
        shelf.good(&format!("a counter with ceiling {ceiling}"), 2, fields, &bytes)
    };
    vec![
        with(0, 0, 0),
        with(65_536, super::bench::NOON, 1),
        with(u64::MAX, u64::MAX, u32::MAX),
        shelf.bad("a counter cut short", "REC-3", 2, &record(&shelf.seed, 2, &[0; 19])),
        shelf.bad("a counter with a byte behind it", "REC-3", 2, &record(&shelf.seed, 2, &[0; 21])),
    ]
}

pub fn installed(limits: Limits) -> Installed {
    Installed {
        grant: some_digest("a grant"),
        device: public("device"),
        pairing: bytes32("pairing key"),
        rights: Rights::OPEN_AND_LOCK,
        limits,
        used: 3,
    }
}

fn slots(shelf: &Shelf) -> Vec<Value> {
    let cases = [
        ("an untouched slot of a fresh lock", 0, 0, Holds::Inactive),
        ("a slot that was closed", 1, 8, Holds::Inactive),
        ("an empty slot", 1, 1, Holds::Empty),
        ("a slot with a key without limits", 1, 7, Holds::Installed(installed(Limits::NONE))),
        ("a slot with a key with every limit", 1, u32::MAX, Holds::Installed(installed(every_limit()))),
    ];
    cases
        .map(|(name, epoch, floor, holds)| {
            let bytes = slot(&shelf.seed, 0, Epoch::new(epoch), Generation::new(floor), &holds);
            shelf.good(name, 3, slot_fields(epoch, floor, &holds), &bytes)
        })
        .to_vec()
}

fn damaged(shelf: &Shelf) -> Vec<Value> {
    let seed = &shelf.seed;
    let content =
        |epoch: u32, floor: u32, holds: &Holds| slot_content(Epoch::new(epoch), Generation::new(floor), holds);
    let key = content(1, 7, &Holds::Installed(installed(every_limit())));
    let good = record(seed, 3, &key);
    let with = |at: usize, byte: u8| {
        let mut content = key.clone();
        content[at] = byte;
        record(seed, 3, &content)
    };
    let mut cases = vec![
        shelf.bad("a slot of another slot", "REC-1", 3, &record(seed, 4, &key)),
        shelf.bad("a counter in the place of a slot", "REC-1", 3, &record(seed, 2, &[0; 20])),
        shelf.bad("a slot of another lock", "REC-2", 3, &record(&bytes32("another lock's seed"), 3, &key)),
        shelf.bad(
            "a slot of a later epoch than the header's",
            "DMG-9",
            3,
            &record(seed, 3, &content(2, 0, &Holds::Inactive)),
        ),
        shelf.bad("a slot without a MAC", "REC-2", 3, &good[..good.len() - 16]),
        shelf.bad("a slot cut short", "REC-2", 3, &good[..good.len() - 1]),
        shelf.bad("a slot with a byte behind it", "REC-2", 3, &[&good[..], &[0]].concat()),
        shelf.bad("a slot with a byte behind its content", "REC-3", 3, &record(seed, 3, &[&key[..], &[0]].concat())),
        shelf.bad("a slot without bytes", "DMG-4", 3, &[]),
        shelf.bad("a slot of an undefined form", "REC-3", 3, &with(8, 4)),
        shelf.bad("a slot with a right that is not defined", "REC-3", 3, &with(105, 7)),
        shelf.bad("a slot with limits that are none", "REC-3", 3, &with(106, 2)),
    ];
    for at in [0, 1, 2, 3, 4, 5, 13, 100, good.len() - 1] {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        cases.push(shelf.bad(&format!("a slot with a flipped bit at {at}"), "REC-2", 3, &flipped));
    }
    for (what, at, by) in [("magic", 0, b'T'), ("version", 2, 2), ("kind", 3, 3)] {
        let mut covered = good[..good.len() - 16].to_vec();
        covered[at] = by;
        cases.push(shelf.bad(&format!("a slot of another {what}"), "REC-3", 3, &tagged(seed, covered)));
    }
    cases
}
