//! JSON as it is committed: one order of names, one layout, whatever the JSON library would do.

use serde_json::Value;

/// What comes first in an object; everything else follows in the order of the alphabet.
const FIRST: [&str; 22] = [
    "about",
    "protocol",
    "warning",
    "number_of_cases",
    "keys",
    "name",
    "rule",
    "role",
    "op",
    "as",
    "type",
    "kind",
    "request",
    "reply",
    "for",
    "lock",
    "epoch",
    "slot",
    "generation",
    "fields",
    "bytes",
    "digest",
];

/// The longest object or list that stands on one line.
const LINE: usize = 110;

pub fn write(value: &Value) -> String {
    let mut text = String::new();
    pretty(value, 0, &mut text);
    text.push('\n');
    text
}

fn place(name: &str) -> (usize, &str) {
    let at =
        if name == "cases" { usize::MAX } else { FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len()) };
    (at, name)
}

fn members(value: &Value) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = value.as_object().into_iter().flatten().collect();
    members.sort_by_key(|(name, _)| place(name));
    members
}

fn compact(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(", ")),
        Value::Object(_) => {
            let members = members(value);
            let members =
                members.iter().map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), compact(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => ascii(&other.to_string()),
    }
}

/// Nothing but ASCII, so that no invisible character stands in a file.
fn ascii(json: &str) -> String {
    let escape = |c: char| {
        let mut units = [0; 2];
        c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>()
    };
    json.chars().map(|c| if c.is_ascii() { c.to_string() } else { escape(c) }).collect()
}

fn pretty(value: &Value, depth: usize, text: &mut String) {
    let line = compact(value);
    let simple = !value.is_array() && !value.is_object();
    if depth > 0 && (simple || line.len() + depth <= LINE) {
        text.push_str(&line);
        return;
    }
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    text.push(open);
    let mut first = true;
    let mut begin = |text: &mut String| {
        text.push_str(if first { "\n" } else { ",\n" });
        first = false;
        text.push_str(&" ".repeat(depth + 1));
    };
    for item in value.as_array().into_iter().flatten() {
        begin(text);
        pretty(item, depth + 1, text);
    }
    for (name, member) in members(value) {
        begin(text);
        text.push_str(&format!("{}: ", Value::from(name.as_str())));
        pretty(member, depth + 1, text);
    }
    text.push('\n');
    text.push_str(&" ".repeat(depth));
    text.push(close);
}
