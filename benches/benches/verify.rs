//! The hot paths under criterion, for their distributions and for plots: one group a path, both providers in it.
//!
//! `cargo bench -p sharekey-benches --bench verify`. For ratios see `gates.rs`, which interleaves what it compares.
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

use std::time::Duration;

use criterion::Criterion;
use sharekey_benches::lanes;

fn main() {
    let criterion = Criterion::default().warm_up_time(Duration::from_millis(200));
    let mut criterion = criterion.measurement_time(Duration::from_millis(800)).sample_size(30).configure_from_args();
    let mut lanes = lanes::all().0;
    lanes.sort_by(|a, b| a.what.cmp(&b.what));
    for same in lanes.chunk_by_mut(|a, b| a.what == b.what) {
        let mut group = criterion.benchmark_group(same[0].what.clone());
        for lane in same {
            group.bench_function(lane.who.clone(), |bencher| bencher.iter_custom(|count| lane.take(count)));
        }
        group.finish();
    }
    criterion.final_summary();
}
