//! The tables of the messages in the text of the spec, against what the library says of their layout.

use sharekey::message::Bundle;
use sharekey::wire::{Authenticator, HEADER_LEN, Kind, Message, Shape, Variant};
use sharekey_stage::every_body;

use super::decode::by_body;

/// The rows of a message's table, but for the last column: offset, size and field.
fn rows<T: Message>() -> Vec<[String; 3]> {
    let Shape::Fields(fields) = T::SHAPE else { panic!("{:?} has no fields", T::KIND) };
    let mut rows = vec![["0".to_owned(), HEADER_LEN.to_string(), "header".to_owned()]];
    let mut at = Some(HEADER_LEN);
    let mut row = |(least, most): (usize, usize), name: String, sizes: String| {
        rows.push([at.map_or("after".to_owned(), |at| at.to_string()), sizes, name]);
        at = at.filter(|_| least == most).map(|at| at + most);
    };
    for field in fields {
        let (least, most) = sizes(field.shape);
        let text = match field.shape {
            _ if least == most => most.to_string(),
            Shape::Tagged(variants) if variants.iter().all(|variant| [least, most].contains(&tagged(variant).0)) => {
                format!("{least} or {most}")
            }
            _ => format!("{least}–{most}"),
        };
        row((least, most), field.name.replace('_', " "), text);
    }
    if T::Auth::LEN > 0 {
        let name = if T::Auth::LEN == 16 { "tag" } else { "signature" };
        row((T::Auth::LEN, T::Auth::LEN), name.to_owned(), T::Auth::LEN.to_string());
    }
    rows
}

/// The least and the most that a shape takes.
fn sizes(shape: Shape) -> (usize, usize) {
    match shape {
        Shape::Bytes(len) | Shape::Number(len) => (len, len),
        Shape::Signed => (2, 2),
        Shape::Named(_) => (1, 1),
        Shape::Optional(shape) => (1, 1 + sizes(*shape).1),
        Shape::Fields(fields) => fields.iter().map(|field| sizes(field.shape)).fold((0, 0), sum),
        Shape::Tagged(variants) => {
            let all = || variants.iter().map(tagged);
            (all().map(|(least, _)| least).min().unwrap(), all().map(|(_, most)| most).max().unwrap())
        }
    }
}

fn tagged(variant: &Variant) -> (usize, usize) {
    variant.fields.iter().map(|field| sizes(field.shape)).fold((1, 1), sum)
}

fn sum(a: (usize, usize), b: (usize, usize)) -> (usize, usize) {
    (a.0 + b.0, a.1 + b.1)
}

/// The first cells of the table's rows that begin so, in a part of the text.
fn table<const CELLS: usize>(text: &str, head: &str) -> Vec<[String; CELLS]> {
    let table = text.split(head).nth(1).unwrap_or_else(|| panic!("no table {head}"));
    table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let mut cells = line.split('|').skip(1).map(|cell| cell.trim().to_owned());
            std::array::from_fn(|_| cells.next().unwrap())
        })
        .collect()
}

fn section<'t>(spec: &'t str, name: &str) -> &'t str {
    let text = spec.split(&format!("### Message {name}\n")).nth(1).unwrap_or_else(|| panic!("no section {name}"));
    text.split("\n### ").next().unwrap()
}

/// Each enum with the table of its variants.
fn enums(text: &str, name: &str, shape: Shape) {
    match shape {
        Shape::Optional(shape) => enums(text, name, *shape),
        Shape::Fields(fields) => fields.iter().for_each(|field| enums(text, field.name, field.shape)),
        Shape::Tagged(variants) => {
            let found = table::<2>(text, &format!("| tag | {name} "));
            let expected: Vec<_> =
                variants.iter().map(|variant| [variant.tag.to_string(), variant.name.to_owned()]).collect();
            assert_eq!(found, expected, "{name}");
            let inside = variants.iter().flat_map(|variant| variant.fields);
            inside.for_each(|field| enums(text, field.name, field.shape));
        }
        Shape::Named(names) if text.contains(&format!("| byte | {name} ")) => {
            let expected: Vec<_> = names.iter().map(|(byte, name)| [byte.to_string(), (*name).to_owned()]).collect();
            assert_eq!(table::<2>(text, &format!("| byte | {name} ")), expected, "{name}");
        }
        Shape::Bytes(_) | Shape::Number(_) | Shape::Signed | Shape::Named(_) => {}
    }
}

fn message<T: Message>(spec: &str, kind: Kind) {
    let name = format!("{kind:?}");
    let text = section(spec, &name);
    assert_eq!(table::<3>(text, "| offset | size | field |"), rows::<T>(), "{name}");
    assert_eq!(sizes(T::SHAPE), (T::SHORTEST, T::LONGEST), "{name}");
    // What is taken over from another message has its tables there.
    enums(text, &name, T::SHAPE);
}

fn lengths<T: Message>(kind: Kind) -> (Kind, usize, usize) {
    (kind, T::MIN_LEN, T::MAX_LEN)
}

/// Fails where the text says another layout than the library.
pub fn check(spec: &str) {
    let kinds = table::<6>(spec, "| byte | kind |");
    assert_eq!(kinds.iter().filter(|row| row[1] != "reserved").count(), Kind::ALL.len(), "each kind has its row");
    for kind in Kind::ALL {
        every_body!(by_body!(kind, message, (spec, kind), ()));
        let of_bundle = (kind, Bundle::MIN_LEN, Bundle::MAX_LEN);
        let (_, least, most) = every_body!(by_body!(kind, lengths, (kind), of_bundle));
        // A refusal may be its header alone.
        let least = if kind == Kind::Refused { HEADER_LEN } else { least };
        let row = kinds.iter().find(|row| row[0] == kind.byte().to_string()).unwrap();
        assert_eq!([&row[1], &row[4], &row[5]], [&format!("{kind:?}"), &least.to_string(), &most.to_string()]);
    }
}
