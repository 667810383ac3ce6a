//! `messages.json`: messages of every kind, field by field.

use serde_json::{Value, json};
use sharekey::wire::Kind;

use super::keys::digest;
use super::peer::form::hex;
use super::samples;

pub fn file() -> Value {
    let cases = samples::all().iter().map(|sample| {
        let mut case = json!({
            "name": sample.name,
            "kind": kind_name(sample.kind),
            "authenticator": sample.auth,
            "fields": sample.fields,
            "bytes": hex(&sample.bytes),
            "digest": hex(digest(&sample.bytes).as_bytes()),
        });
        if sample.kind == Kind::Provisioned {
            case["card_tag"] = json!({ "key": "card", "over": "Provision: a factory-fresh lock" });
        }
        case
    });
    super::file(
        "Messages of every kind: the fields, whose authenticator they carry, all bytes, and SHA-256 of the bytes.",
        json!({ "keys": samples::keys_json() }),
        cases.collect(),
    )
}

pub fn kind_name(kind: Kind) -> String {
    format!("{kind:?}")
}
