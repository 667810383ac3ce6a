//! The test vectors, `spec/vectors/*.json`, and what the roles store in an honest run, as seeds of the corpora. Runs of
//! the roles enter by the messages and records that stand in them. No seed is stored: each is made again from the vectors
//! as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;
use sharekey::wire::Kind;
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::forge::Forge;

type Seeds = BTreeMap<String, BTreeSet<Vec<u8>>>;

/// The seeds of a target.
pub fn seeds(target: &str) -> &'static BTreeSet<Vec<u8>> {
    static SEEDS: LazyLock<Seeds> = LazyLock::new(all);
    static NONE: BTreeSet<Vec<u8>> = BTreeSet::new();
    SEEDS.get(target).unwrap_or(&NONE)
}

fn all() -> Seeds {
    let mut seeds = Seeds::new();
    for (name, vectors) in vectors() {
        of_a_file(&name, &vectors, &mut seeds);
    }
    for (target, stored) in crate::conversation::kept() {
        add(&mut seeds, target, stored);
    }
    add(&mut seeds, "decode_owner_records", contacts());
    for line in stored_records().lines() {
        let record = sharekey_stage::hex::bytes(line.split_once(' ').unwrap().1);
        add(&mut seeds, "decode_share_record", [record.as_slice(), &[0]].concat());
        add(&mut seeds, "decode_share_record", record);
    }
    seeds
}

/// One record of each shape, of a slot and of a lock, as a service stores it.
fn stored_records() -> String {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/roles/golden");
    ["slot_record_2.txt", "lock_record_129.txt"].map(|file| fs::read_to_string(golden.join(file)).unwrap()).concat()
}

/// Every file of vectors, and its name.
fn vectors() -> Vec<(String, Value)> {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors")).unwrap();
    let mut vectors = Vec::new();
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|extension| extension == "json") && name != "schema" {
            vectors.push((name, serde_json::from_slice(&fs::read(&path).unwrap()).unwrap()));
        }
    }
    vectors
}

fn of_a_file(name: &str, vectors: &Value, seeds: &mut Seeds) {
    // A run begins each step with another challenge: one is like the next.
    let is_run = vectors.pointer("/cases/0/steps").is_some();
    messages(vectors, is_run, seeds);
    for case in vectors["cases"].as_array().unwrap() {
        one(name, case, seeds);
    }
}

fn contacts() -> Vec<u8> {
    let mut book = sharekey::contacts::ContactBook::new();
    let key = |byte| Forge::<Symbolic>::new().public(&sharekey_stage::seed(byte));
    book.add("ana@example".parse().unwrap(), "Ana".parse().unwrap(), key(1)).unwrap();
    book.add("ben@example".parse().unwrap(), "Ben".parse().unwrap(), key(2)).unwrap();
    book.verify_key(&"ben@example".parse().unwrap(), &key(2)).unwrap();
    [vec![2], postcard::to_allocvec(&book).unwrap()].concat()
}

fn add(seeds: &mut Seeds, target: &str, seed: Vec<u8>) {
    seeds.entry(target.to_owned()).or_default().insert(seed);
}

/// Nothing where it is other text.
fn hex(value: &Value) -> Option<Vec<u8>> {
    let is_digits = |text: &&str| text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    value.as_str().filter(is_digits).map(sharekey_stage::hex::bytes)
}

fn bytes(case: &Value, field: &str) -> Vec<u8> {
    hex(&case[field]).unwrap_or_else(|| panic!("no {field} in {case}"))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}

// --- messages and records, wherever they stand ---

fn messages(value: &Value, is_run: bool, seeds: &mut Seeds) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| messages(value, is_run, seeds)),
        Value::Object(fields) => fields.values().for_each(|value| messages(value, is_run, seeds)),
        Value::String(_) => {
            if let Some(bytes) = hex(value).filter(|bytes| !is_run || Kind::of(bytes) != Ok(Kind::Challenge)) {
                message(&bytes, seeds);
            }
        }
        _ => {}
    }
}

fn message(bytes: &[u8], seeds: &mut Seeds) {
    if let Ok(kind) = Kind::of(bytes) {
        return add(seeds, &target(&format!("{kind:?}")), bytes.to_vec());
    }
    match bytes {
        // A seed, with the prefix of its cell and without.
        [b'S', b'R', _, 1, _, content @ ..] => {
            add(seeds, "decode_seed_record", content.to_vec());
            add(seeds, "decode_seed_record", bytes.to_vec());
        }
        [b'S', b'R', _, kind @ 2..=4, _, content @ ..] if content.len() >= 16 => {
            let target =
                ["decode_header_record", "decode_counter_record", "decode_slot_record"][usize::from(*kind) - 2];
            add(seeds, target, content[..content.len() - 16].to_vec());
        }
        _ => {}
    }
}

/// `FactoryReset` is decoded by `decode_factory_reset`.
fn target(kind: &str) -> String {
    let snake = kind.char_indices().map(|(at, letter)| {
        let gap = if at > 0 && letter.is_uppercase() { "_" } else { "" };
        format!("{gap}{}", letter.to_lowercase())
    });
    format!("decode_{}", snake.collect::<String>())
}

// --- single facts ---

fn one(file: &str, case: &Value, seeds: &mut Seeds) {
    match file {
        // What is no message is tried as the kind that it should be.
        "decode_errors" => add(seeds, &target(case["kind"].as_str().unwrap()), bytes(case, "bytes")),
        "codes" => code(case, seeds),
        "keys" => key(case, seeds),
        "derivations" => derivation(case, seeds),
        "limits" => add(seeds, "limits", limits(case)),
        "slot" => add(seeds, "slot_line", slot(case)),
        _ => {}
    }
}

fn code(case: &Value, seeds: &mut Seeds) {
    for field in ["text", "code"] {
        if let Some(text) = case[field].as_str() {
            add(seeds, "share_code", text.as_bytes().to_vec());
        }
    }
    if let Some(draw) = case.pointer("/entropy/0/hex").and_then(hex) {
        add(seeds, "share_code", draw);
    }
}

fn key(case: &Value, seeds: &mut Seeds) {
    let seed = match case["op"].as_str().unwrap() {
        "key" => [vec![0], bytes(case, "public")].concat(),
        "signature" => [vec![0], bytes(case, "public"), bytes(case, "signature"), bytes(case, "message")].concat(),
        "agreement" => [vec![2], bytes(case, "secret"), vec![7; 32], bytes(case, "peer")].concat(),
        other => panic!("no seed of {other}"),
    };
    add(seeds, "providers", seed);
}

/// Everything that goes into a derivation; of a pairing key, the agreement too.
fn derivation(case: &Value, seeds: &mut Seeds) {
    if case["op"] == "pairing_key" {
        let agreement = [bytes(case, "guest_secret"), bytes(case, "lock_secret"), bytes(case, "lock_public")].concat();
        add(seeds, "providers", [vec![2], agreement].concat());
    }
    let Value::Object(fields) = case else { return };
    let inputs: Vec<u8> = fields.values().filter_map(hex).flatten().collect();
    add(seeds, "providers", [vec![3, 2], inputs].concat());
}

fn limits(case: &Value) -> Vec<u8> {
    let moment = case["clock"].as_u64().unwrap_or_default();
    let mut seed = moment.to_le_bytes().to_vec();
    let limits = &case["limits"];
    for field in ["from", "until"] {
        optional(&limits[field], &mut seed, |at, seed| seed.extend(number(at).to_le_bytes()));
    }
    optional(&limits["schedule"], &mut seed, |schedule, seed| {
        seed.push(number(&schedule["days"]) as u8);
        seed.extend((number(&schedule["start"]) as u16).to_le_bytes());
        seed.extend((number(&schedule["end"]) as u16).to_le_bytes());
        seed.extend(offset(&schedule["offset"]));
        optional(&schedule["next"], seed, |next, seed| {
            seed.extend(number(&next["at"]).to_le_bytes());
            seed.extend(offset(&next["offset"]));
        });
    });
    optional(&limits["uses"], &mut seed, |uses, seed| seed.extend((number(uses) as u32).to_le_bytes()));
    seed
}

fn offset(minutes: &Value) -> [u8; 2] {
    i16::try_from(minutes.as_i64().unwrap()).unwrap().to_le_bytes()
}

fn optional(value: &Value, seed: &mut Vec<u8>, write: impl Fn(&Value, &mut Vec<u8>)) {
    seed.push(u8::from(!value.is_null()));
    if !value.is_null() {
        write(value, seed);
    }
}

/// Events of eight bytes each, as the target reads them.
fn slot(case: &Value) -> Vec<u8> {
    let mut names: Vec<String> = Vec::new();
    let mut seed = vec![u8::from(case["role"] == "owner")];
    for event in case["events"].as_array().unwrap() {
        let mut name = |field: &str| {
            let Some(text) = event[field].as_str() else { return 0 };
            let known = names.iter().position(|name| name == text).unwrap_or(names.len());
            if known == names.len() {
                names.push(text.to_owned());
            }
            known as u8 + 1
        };
        let which = match event["type"].as_str().unwrap() {
            "Activate" => 0,
            "Deactivate" => 1,
            "Publish" => 2,
            "Release" => 3,
            "Withdraw" => 4,
            "Receipt" => 5,
            "Inspect" => 6,
            "Withdrawn" => 7,
            "Learn" => 8,
            other => panic!("no seed of {other}"),
        };
        let last = match which {
            6 => ["Empty", "Installed", "Inactive"].iter().position(|known| event["holding"] == **known).unwrap() as u8,
            7 => outcome(&event["outcome"]),
            _ => name("install"),
        };
        seed.push(which);
        seed.extend((number(&event["generation"]) as u32).to_le_bytes());
        seed.extend([name("grant"), name("device"), last]);
    }
    seed
}

fn outcome(outcome: &Value) -> u8 {
    let name = outcome["type"].as_str().or(outcome.as_str()).unwrap();
    ["NeverReleased", "Released", "Settled"].iter().position(|known| *known == name).unwrap() as u8
}

#[test]
fn every_vector_is_in_the_corpora() {
    use crate::targets::NAMES;
    let mut none_of = Vec::new();
    for (name, vectors) in vectors() {
        let mut seeds = Seeds::new();
        of_a_file(&name, &vectors, &mut seeds);
        if seeds.is_empty() {
            none_of.push(name);
        }
    }
    // No target reads a fingerprint.
    assert_eq!(none_of, ["contacts"], "files without a seed");
    let seeds = all();
    assert!(seeds.keys().all(|target| NAMES.contains(&target.as_str())), "{:?}", seeds.keys());
    let count: usize = seeds.values().map(BTreeSet::len).sum();
    assert!(count > 2_000, "{count} seeds");
}
