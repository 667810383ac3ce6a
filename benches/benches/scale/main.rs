//! How cost grows: with slots, with live keys, with contacts; and what one service does in a second.
//!
//! `cargo bench -p sharekey-benches --bench scale [-- --quick]`. Criterion draws the curves with `--curves`.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench fails by panicking, and prints"
)]

mod grown;
mod throughput;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use sharekey::crypto::Ring;
use sharekey_benches::inputs::{self, Guarded, Row};
use sharekey_benches::race::{Race, Times};
use sharekey_benches::table::{Table, time};

fn main() {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    if asked("--curves") {
        return curves();
    }
    let times = lanes().run(if asked("--quick") { 20 } else { 150 });
    slots(&times);
    contacts(&times);
    grown::tables(&times);
    throughput::table(asked("--quick"));
}

fn lanes() -> Race<'static> {
    let mut race = Race::default();
    of_slots::<1>(&mut race);
    of_slots::<10>(&mut race);
    of_slots::<64>(&mut race);
    of_slots::<255>(&mut race);
    grown::contact_books(&mut race);
    grown::records(&mut race);
    race
}

/// A lock of `S` slots, of which the last is used.
fn of_slots<const S: usize>(race: &mut Race<'static>) {
    let row = Row::<Ring, S>::new(inputs::dates());
    let who = S.to_string();
    race.prepared("unlock, by slots", &who, 8, row.batch(8, Guarded::unlock, inputs::unlock));
    race.prepared("install, by slots", &who, 1, row.batch(1, Guarded::bundle, inputs::install));
}

fn slots(times: &Times) {
    let mut table =
        Table::new("The lock, by its number of slots (ring)", &["slots", "unlock", "install", "lock in memory"]);
    let sizes = [("1", size::<1>()), ("10", size::<10>()), ("64", size::<64>()), ("255", size::<255>())];
    for (slots, bytes) in sizes {
        let of = |what| time(times.of(slots, what));
        table.row(&[slots.to_owned(), of("unlock, by slots"), of("install, by slots"), format!("{bytes} B")]);
    }
    table.finish("slots");
}

const fn size<const S: usize>() -> usize {
    size_of::<sharekey::lock::Lock<Ring, S>>()
}

fn contacts(times: &Times) {
    let mut table = Table::new("The contact book", &["contacts", "look up", "add and delete"]);
    for contacts in grown::CONTACTS {
        let of = |what| time(times.of(&contacts.to_string(), what));
        table.row(&[contacts.to_string(), of("contact, looked up"), of("contact, added and deleted")]);
    }
    table.finish("contacts");
}

/// The same lanes under criterion, each group a curve over its sizes.
fn curves() {
    let criterion = Criterion::default().warm_up_time(Duration::from_millis(200));
    let mut criterion = criterion.measurement_time(Duration::from_millis(800)).sample_size(20);
    let mut lanes = lanes().0;
    lanes.sort_by(|a, b| a.what.cmp(&b.what));
    for same in lanes.chunk_by_mut(|a, b| a.what == b.what) {
        let mut group = criterion.benchmark_group(same[0].what.clone());
        for lane in same {
            let size: u64 = lane.who.parse().unwrap();
            let id = BenchmarkId::from_parameter(size);
            group.bench_with_input(id, &size, |bencher, _| bencher.iter_custom(|count| lane.take(count)));
        }
        group.finish();
    }
    criterion.final_summary();
}
