//! The page of the errors, `docs/errors.md`, and what the text says of whose fault they are and what to do.

use std::fmt::Write;

use sharekey::error::Retry;
use sharekey_stage::errors::{Row, every};

const HEAD: &str = "\
# Errors

Every error of the library, by its code: `Blame::name`. A code is stable: it is never given to another error, and goes only
with a new major version. Made from the crate by `cargo run -p sharekey-vectors`; a test compares.

The first part of a code says who or what the error is of, the last what was wrong. Where an error has a cause, the cause's
own code stands behind it: `Lock.GrantSignature.Mismatch` is a grant that a lock refused because its signature does not
match. `…` stands for each cause in the table of its type. Whose fault it is (`Blame::fault`) and what to do
(`Blame::retry`) are said to whoever asked for what failed.
`tests/roles/src/advice.rs` follows each advice to success, or has the reason why nothing leads out.

| what to do | in words |
|---|---|
";

pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for retry in Retry::ALL {
        writeln!(page, "| {retry:?} | {retry} |").unwrap();
    }
    let all = every();
    let causes: Vec<&Row> = all.iter().flat_map(|(_, rows)| rows).collect();
    for (name, rows) in &all {
        write!(page, "\n## {name}\n\n| code | says | whose fault | what to do |\n|---|---|---|---|\n").unwrap();
        for group in rows.chunk_by(|a, b| variant(a) == variant(b)) {
            let blamed = |row: &Row| (row.fault, row.retry);
            let is_its_causes = |row: &&Row| {
                let cause = row.code.strip_prefix(variant(row)).and_then(|cause| cause.strip_prefix('.'));
                causes
                    .iter()
                    .any(|of| Some(of.name()) == cause && row.says.ends_with(&of.says) && blamed(of) == blamed(row))
            };
            let inner: Vec<&Row> = group.iter().filter(is_its_causes).collect();
            let alike = group.iter().all(|row| blamed(row) == blamed(&group[0]));
            let (code, says) = (format!("{}.…", variant(&group[0])), before_the_cause(&group[0].says));
            if group.len() > 1 && alike {
                line(&mut page, &code, says, &said(&group[0]));
            } else if inner.len() > 1 {
                line(&mut page, &code, says, &["as the cause".into(), "as the cause".into()]);
                group
                    .iter()
                    .filter(|row| !inner.contains(row))
                    .for_each(|row| line(&mut page, row.code, &row.says, &said(row)));
            } else {
                group.iter().for_each(|row| line(&mut page, row.code, &row.says, &said(row)));
            }
        }
    }
    page
}

/// What an error says of itself, with "…" for what its cause says.
fn before_the_cause(says: &str) -> String {
    says.split_once(": ").map_or("…".to_owned(), |(says, _)| format!("{says}: …"))
}

fn said(row: &Row) -> [String; 2] {
    [format!("{:?}", row.fault).to_lowercase(), format!("{:?}", row.retry)]
}

fn line(page: &mut String, code: &str, says: impl AsRef<str>, [fault, retry]: &[String; 2]) {
    writeln!(page, "| `{code}` | {} | {fault} | {retry} |", says.as_ref()).unwrap();
}

/// The code of the error without its cause.
fn variant(row: &Row) -> &'static str {
    let ends = row.code.match_indices('.').map(|(at, _)| at).nth(1);
    &row.code[..ends.unwrap_or(row.code.len())]
}

/// The sections of the text, by the types whose errors they name.
const SECTIONS: [(&str, &[&str]); 7] = [
    ("## Errors and refusals\n", &["RefuseReason"]),
    (
        "### Errors of bytes, keys and codes\n",
        &["WireError", "KeyError", "SignatureError", "NonContributory", "MacMismatch", "CodeError", "LinkError"],
    ),
    ("### Errors of the lock\n", &["LockError", "LoadError"]),
    ("### Errors of the service\n", &["ServiceError"]),
    ("### Errors of the owner\n", &["OwnerError"]),
    ("### Errors of the guest\n", &["GuestError"]),
    ("### Errors of contacts\n", &["ContactError", "FingerprintError"]),
];

/// The text with the library's own word in the last two columns of its tables of errors, and for each advice.
/// A cell of more than one word stays: what is left to the inner error, say, or is said of several errors.
pub fn rewritten(text: &str) -> String {
    let all = every();
    let (mut types, mut advice): (&[&str], bool) = (&[], false);
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.starts_with('#') {
            types = SECTIONS.iter().find(|(heading, _)| *heading == line).map_or(&[], |(_, types)| types);
            advice = line == "### Names of errors\n";
        }
        let mut cells: Vec<String> = line.trim_end().split('|').map(|cell| cell.trim().to_owned()).collect();
        let last = cells.len().saturating_sub(2);
        let listed = advice && line.starts_with("| ") && !line.starts_with("| name ");
        if listed {
            // Made anew behind the head of the table.
            continue;
        }
        out.push_str(line);
        if advice && line.starts_with("|---") {
            Retry::ALL.iter().for_each(|retry| writeln!(out, "| {retry:?} | {retry} |").unwrap());
        }
        if types.is_empty() || !line.starts_with("| ") || last < 4 {
            continue;
        }
        let rows = all.iter().filter(|(name, _)| types.contains(name)).flat_map(|(_, rows)| rows);
        let named: Vec<&Row> = rows.filter(|row| names(&cells).iter().any(|name| fits(row, name))).collect();
        let Some(first) = named.first() else { continue };
        for (at, word) in said(first).into_iter().enumerate() {
            let cell = &mut cells[last - 1 + at];
            if !cell.contains(' ') && named.iter().all(|row| said(row)[at] == word) {
                *cell = word;
            }
        }
        out.truncate(out.len() - line.len());
        writeln!(out, "{}", cells.join(" | ").trim().replace("|  |", "| |")).unwrap();
    }
    out
}

/// The names of errors in a row: between backquotes, or the reason in the table of those.
fn names(cells: &[String]) -> Vec<String> {
    if cells[1].parse::<u8>().is_ok() {
        return vec![cells[2].clone()];
    }
    super::named::names(&cells[1..].join(" | "))
}

fn fits(row: &Row, name: &str) -> bool {
    name.strip_suffix('…')
        .map_or(name == row.name() || name == row.code.replace('.', ""), |stem| row.name().starts_with(stem))
}
