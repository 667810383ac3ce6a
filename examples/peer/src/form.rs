//! Values of the wire as JSON: numbers as numbers, bytes as lower-case hexadecimal, enumerations by name.

use serde_json::{Map, Value};
use sharekey::crypto::PublicKey;
use sharekey::message::Bundle;
use sharekey::wire::{self, Field, Layout, Shape};

pub fn hex(bytes: impl AsRef<[u8]>) -> Value {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

pub fn key(key: &PublicKey) -> Value {
    hex(key.as_bytes())
}

/// A value by the names of the spec.
pub fn form<T: Layout>(value: &T) -> Value {
    let bytes = wire::encode(value).expect("what a message holds has room in one");
    read(T::SHAPE, &mut &bytes[..])
}

pub fn bundle(bundle: &Bundle<'_>) -> Value {
    let Bundle { grant, claim, install, release } = bundle;
    let parts = [("grant", grant), ("claim", claim), ("install", install), ("release", release)];
    Value::Object(parts.map(|(name, part)| (name.to_owned(), hex(part))).into_iter().collect())
}

/// Reads what a shape says off the front of bytes that have it.
fn read(shape: Shape, bytes: &mut &[u8]) -> Value {
    match shape {
        Shape::Bytes(len) => hex(take(bytes, len)),
        Shape::Number(len) => number(take(bytes, len)).into(),
        Shape::Signed => i16::from_le_bytes([take(bytes, 1)[0], take(bytes, 1)[0]]).into(),
        Shape::Named(names) => {
            let byte = take(bytes, 1)[0];
            names.iter().find(|(of, _)| *of == byte).map_or(Value::Null, |(_, name)| (*name).into())
        }
        Shape::Optional(shape) => match take(bytes, 1) {
            [0] => Value::Null,
            _ => read(*shape, bytes),
        },
        Shape::Fields(fields) => Value::Object(members(fields, bytes)),
        Shape::Tagged(variants) => {
            let tag = take(bytes, 1)[0];
            let Some(variant) = variants.iter().find(|variant| variant.tag == tag) else { return Value::Null };
            let mut object = Map::from_iter([("type".to_owned(), variant.name.into())]);
            object.extend(members(variant.fields, bytes));
            Value::Object(object)
        }
    }
}

fn members(fields: &[Field], bytes: &mut &[u8]) -> Map<String, Value> {
    fields.iter().map(|field| (field.name.to_owned(), read(field.shape, bytes))).collect()
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(len);
    *bytes = rest;
    taken
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
