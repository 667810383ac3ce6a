//! The same key as other tokens carry it: bytes, time from bytes to usable fields, allocations.
//!
//! `cargo run --release [-- --quick]`. Prints tables; with `--chart` draws one into `../plots/peers.svg`.

mod chart;
mod payload;
mod peer;

use payload::Payload;
use peer::Peer;
use sharekey_benches::race::{Race, Times};
use sharekey_benches::table::{Table, time};

/// How many tokens are rotated.
const INPUTS: usize = 256;
const BATCH: usize = 4;

fn main() {
    if std::env::args().any(|argument| argument == "--help") {
        return println!("[--quick] [--chart]");
    }
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    let peers = peer::all(&Payload::several(INPUTS));
    peers.iter().for_each(check);
    let times = race(&peers, if asked("--quick") { 40 } else { 400 });
    let rows: Vec<Row> = peers.iter().map(|peer| Row::new(peer, &times)).collect();
    print(&rows, &times);
    if asked("--chart") {
        chart::draw("../plots/peers.svg", &rows);
    }
}

/// A token gives its payload; spoilt in any one of some places, it gives nothing.
fn check(peer: &Peer) {
    for (token, payload) in &peer.tokens {
        assert_eq!((peer.read)(token).as_ref(), Some(payload), "{}", peer.name);
    }
    let (token, payload) = &peer.tokens[0];
    for at in 0..16 {
        let mut spoilt = token.clone();
        let at = token.len() * at / 16;
        spoilt[at] ^= 1;
        assert_ne!((peer.read)(&spoilt).as_ref(), Some(payload), "{}, byte {at}", peer.name);
    }
}

fn race(peers: &[Peer], rounds: usize) -> Times {
    let floors = peer::floors(&Payload::several(INPUTS));
    let mut race = Race::default();
    for peer in peers {
        race.rotated("token", peer.name, BATCH, &peer.tokens, |(token, _)| (peer.read)(token).expect("a good token"));
    }
    for floor in &floors {
        race.rotated("floor", floor.name, BATCH, &floor.tokens, |token| (floor.check)(token));
    }
    race.run(rounds)
}

struct Row {
    name: &'static str,
    ours: bool,
    bytes: usize,
    time: f64,
    /// Times ring's bare verify.
    ratio: f64,
    allocations: u64,
}

impl Row {
    fn new(peer: &Peer, times: &Times) -> Self {
        let mut lengths: Vec<usize> = peer.tokens.iter().map(|(token, _)| token.len()).collect();
        lengths.sort_unstable();
        let counted = allocation_counter::measure(|| {
            std::hint::black_box((peer.read)(&peer.tokens[1].0));
        });
        let (time, ring) = (times.of(peer.name, "token"), times.of(peer::RING_FLOOR, "floor"));
        Self {
            name: peer.name,
            ours: peer.name.starts_with("sharekey"),
            bytes: lengths[lengths.len() / 2],
            time,
            ratio: time / ring,
            allocations: counted.count_total,
        }
    }
}

fn print(rows: &[Row], times: &Times) {
    let mut table =
        Table::new("The same key as other tokens", &["token", "bytes", "time", "÷ ring's bare verify", "allocations"]);
    for row in rows {
        let name = if row.ours { format!("**{}**", row.name) } else { row.name.to_owned() };
        let cells = [row.bytes.to_string(), time(row.time), format!("{:.2}", row.ratio), row.allocations.to_string()];
        table.row(&[vec![name], cells.to_vec()].concat());
    }
    table.finish("peers");

    let mut floors = Table::new("Bare Ed25519 verify, 64 bytes", &["verify", "time", "÷ ring's"]);
    let of = |name| times.of(name, "floor");
    for name in peer::FLOORS {
        floors.row(&[name.to_string(), time(of(name)), format!("{:.2}", of(name) / of(peer::RING_FLOOR))]);
    }
    floors.finish("floors");

    let best = |ours: bool| {
        let signed = rows.iter().filter(|row| row.ours == ours && !row.name.contains("HMAC"));
        signed.min_by(|a, b| a.time.total_cmp(&b.time)).expect("there are some")
    };
    let (ours, theirs) = (best(true), best(false));
    let ratio = ours.time / theirs.time;
    let verdict = if ratio < 1.0 { "met" } else { "**missed**" };
    let what = format!("{} ÷ the fastest signed peer, {}", ours.name, theirs.name);
    let mut gate = Table::new("Gate", &["gate", "limit", "found", ""]);
    gate.row(&[what, "< 1".to_owned(), format!("{ratio:.2}"), verdict.to_owned()]);
    gate.finish("peers-gate");
}
