//! How things are shown.

use sharekey::limits::{Action, Limits, Rights};

use crate::moment;
use crate::schedule::{clock, show_days, show_offset};

/// Rows under their headings, in columns; no space at the end of a line.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let headings = headings.iter().map(|heading| (*heading).to_owned()).collect::<Vec<_>>();
    let all = || std::iter::once(&headings).chain(rows);
    let columns = all().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| all().filter_map(|row| row.get(column)).map(|cell: &String| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    all().map(|row| line(row, &widths)).collect()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    format!("{}\n", cells.join("  ").trim_end())
}

/// The first eight digits, which tell one key or digest from another.
pub fn short(bytes: &impl ToString) -> String {
    bytes.to_string().chars().take(8).collect()
}

pub fn actions(rights: Rights) -> Vec<&'static str> {
    let each = [(Action::Open, "open"), (Action::Lock, "lock")];
    each.into_iter().filter(|(action, _)| rights.allow(*action)).map(|(_, name)| name).collect()
}

/// What bounds a key, in one line.
pub fn limits(rights: Rights, limits: &Limits) -> String {
    let mut parts = Vec::new();
    if rights != Rights::OPEN_AND_LOCK {
        parts.push(format!("{} only", actions(rights).join(", ")));
    }
    if let Some(from) = limits.valid_from() {
        parts.push(format!("from {}", moment::show(from)));
    }
    if let Some(until) = limits.valid_until() {
        parts.push(format!("until {}", moment::show(until)));
    }
    if let Some(schedule) = limits.schedule() {
        let (start, end) = schedule.window();
        let days = show_days(schedule.days());
        let offset = show_offset(schedule.offset());
        parts.push(format!("{days} {}-{} ({offset})", clock(start), clock(end)));
    }
    if let Some(uses) = limits.max_uses() {
        parts.push(if uses == 1 { "1 opening".into() } else { format!("{uses} openings") });
    }
    if parts.is_empty() { "none".into() } else { parts.join("; ") }
}
