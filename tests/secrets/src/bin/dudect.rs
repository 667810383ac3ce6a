//! A second, statistical opinion (dudect): are two classes of secrets told apart by the time they take? Never a
//! test: what was measured stands in spec/results/constant_time.md. `cargo run -p secrets --profile secrets --bin dudect`.

use std::hint::black_box;

use dudect_bencher::rand::{Rng, RngExt};
use dudect_bencher::{BenchRng, Class, CtRunner, ctbench_main};
use secrets::control;
use sharekey::code::ShareCode;
use sharekey::crypto::{Ring, RustCrypto, Stretch, Tag};
use sharekey::secret::PairingKey;

const SAMPLES: usize = 200_000;
const ROUNDS: core::num::NonZeroU32 = core::num::NonZeroU32::new(8).unwrap();

/// Left: equal. Right: different from the first byte on. All are made before the first is timed.
fn compare<const N: usize>(runner: &mut CtRunner, rng: &mut BenchRng, equal: impl Fn(&[u8; N], &[u8; N]) -> bool) {
    let pairs: Vec<_> = (0..SAMPLES).map(|_| pair::<N>(rng)).collect();
    for (class, a, b) in pairs {
        runner.run_one(class, || equal(black_box(&a), black_box(&b)));
    }
}

fn pair<const N: usize>(rng: &mut BenchRng) -> (Class, [u8; N], [u8; N]) {
    let (mut a, mut b) = ([0; N], [0; N]);
    rng.fill_bytes(&mut a);
    rng.fill_bytes(&mut b);
    if rng.random::<bool>() { (Class::Left, a, a) } else { (Class::Right, a, b) }
}

fn tag_compared(runner: &mut CtRunner, rng: &mut BenchRng) {
    compare(runner, rng, |a: &[u8; 16], b| Tag::from_bytes(*a) == Tag::from_bytes(*b));
}

fn pairing_key_compared(runner: &mut CtRunner, rng: &mut BenchRng) {
    compare(runner, rng, |a: &[u8; 32], b| PairingKey::from_bytes(*a) == PairingKey::from_bytes(*b));
}

fn control_early_exit(runner: &mut CtRunner, rng: &mut BenchRng) {
    compare(runner, rng, |a: &[u8; 32], b| control::early_exit(a, b));
}

/// Left: always the same code. Right: another each time. All are made before the first is timed.
fn codes(runner: &mut CtRunner, rng: &mut BenchRng, use_up: impl Fn(&str)) {
    let fixed = ShareCode::issue(rng).expose().as_str().to_owned();
    let mut one = || {
        let other = ShareCode::issue(rng).expose().as_str().to_owned();
        if rng.random::<bool>() { (Class::Left, fixed.clone()) } else { (Class::Right, other) }
    };
    let texts: Vec<_> = (0..SAMPLES).map(|_| one()).collect();
    for (class, text) in &texts {
        runner.run_one(*class, || use_up(black_box(text)));
    }
}

fn code_read(runner: &mut CtRunner, rng: &mut BenchRng) {
    codes(runner, rng, |text| drop(black_box(ShareCode::parse(text))));
}

fn control_code_searched(runner: &mut CtRunner, rng: &mut BenchRng) {
    codes(runner, rng, |text| _ = black_box(control::search(text.as_bytes())));
}

/// Of the 100 000 rounds, eight.
fn code_stretched_ring(runner: &mut CtRunner, rng: &mut BenchRng) {
    codes(runner, rng, |text| drop(black_box(Ring.pbkdf2_sha256(text.as_bytes(), b"salt", ROUNDS))));
}

fn code_stretched_rustcrypto(runner: &mut CtRunner, rng: &mut BenchRng) {
    codes(runner, rng, |text| drop(black_box(RustCrypto.pbkdf2_sha256(text.as_bytes(), b"salt", ROUNDS))));
}

ctbench_main!(
    control_early_exit,
    control_code_searched,
    tag_compared,
    pairing_key_compared,
    code_read,
    code_stretched_ring,
    code_stretched_rustcrypto
);
