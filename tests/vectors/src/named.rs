//! Which errors the text names, which of them a case gives, and which the page of the vectors lists as without one.

use std::collections::BTreeSet;

use serde_json::Value;

/// Whose error it is, and its name; "Name.…" stands for whatever is behind the dot.
pub type Named = (String, String);

/// The sections of the text, by whose errors they name.
const SECTIONS: [(&str, &str); 6] = [
    ("bytes", "### Errors of bytes, keys and codes\n"),
    ("lock", "### Errors of the lock\n"),
    ("service", "### Errors of the service\n"),
    ("owner", "### Errors of the owner\n"),
    ("guest", "### Errors of the guest\n"),
    ("contacts", "### Errors of contacts\n"),
];

pub fn in_spec(text: &str) -> BTreeSet<Named> {
    let mut named = BTreeSet::new();
    for (whose, heading) in SECTIONS {
        let section = text.split(heading).nth(1).unwrap_or_else(|| panic!("no section {heading}"));
        let mut column = 0;
        for line in section.split("\n##").next().unwrap().lines() {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            column = cells.iter().position(|cell| *cell == "error").unwrap_or(column);
            let told = if line.starts_with('|') { cells[column] } else { line };
            named.extend(names(told).into_iter().map(|name| (whose.to_owned(), name)));
        }
    }
    named
}

/// The names between backticks; those with a dot between them are one.
pub fn names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut pieces = text.split('`');
    let mut between = pieces.next().unwrap_or_default();
    while let (Some(name), Some(after)) = (pieces.next(), pieces.next()) {
        let is_name = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(char::is_alphanumeric);
        match names.last_mut() {
            _ if !is_name => {}
            Some(last) if between == "." => last.push_str(&format!(".{name}")),
            _ => names.push(name.to_owned()),
        }
        if is_name && after.starts_with(".…") {
            names.last_mut().unwrap().push_str(".…");
        }
        between = after;
    }
    names
}

/// The errors that the cases of a file give, by who gives them.
pub fn given(file: &str, value: &Value, found: &mut BTreeSet<Named>) {
    for case in value["cases"].as_array().unwrap() {
        for step in case["steps"].as_array().into_iter().flatten() {
            note(&step["request"]["role"], &step["reply"]["error"], found);
        }
        for step in case["book"].as_array().into_iter().flatten() {
            note(&"contacts".into(), &step["error"], found);
        }
        let whose = if file == "contacts.json" { "contacts" } else { "bytes" };
        note(&whose.into(), &case["error"], found);
        note(&"lock".into(), &case["found"], found);
    }
}

fn note(whose: &Value, error: &Value, found: &mut BTreeSet<Named>) {
    if let (Some(whose), Some(error)) = (whose.as_str(), error.as_str()) {
        found.insert((whose.to_owned(), error.to_owned()));
    }
}

pub fn is_given((whose, name): &Named, found: &BTreeSet<Named>) -> bool {
    let fits = |error: &str| match name.strip_suffix('…') {
        Some(stem) => error.starts_with(stem) || stem.strip_suffix('.') == Some(error),
        None => error == name,
    };
    found.iter().any(|(by, error)| by == whose && fits(error))
}

/// The rows of the page's list.
pub fn listed(page: &str) -> BTreeSet<Named> {
    let list = page.split("## Errors without a case\n").nth(1).unwrap();
    let rows = list.split("\n##").next().unwrap().lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert!(!cells[3].is_empty(), "without a reason: {row}");
        (cells[1].to_owned(), names(cells[2]).join(""))
    })
    .collect()
}
