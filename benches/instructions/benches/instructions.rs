//! Instruction counts, by callgrind: the same in every run, however busy the machine.
//!
//! A path and its floor get the same input, so that the difference is this crate's part.
//! `cargo install --locked gungraun-runner@0.20.0`, and valgrind; then `cargo run --release -p sharekey-instructions`.
#![allow(missing_docs, reason = "the macros make public items")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a bench fails by panicking"
)]

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use sharekey::crypto::{Pinned, PublicKey, Ring, RustCrypto};
use sharekey::lock::{Session, purpose};
use sharekey::message::{Bundle, Grant};
use sharekey::wire::Unverified;
use sharekey_benches::bare::{self, Bare};
use sharekey_benches::inputs::{self, SLOTS, forged};
use sharekey_benches::lanes;
use sharekey_stage::house::{House, NOW, stored};

/// Prepared when it is made; what it does is counted.
type Work = Box<dyn FnMut()>;

fn signed<C: Bare>() -> (PublicKey, Vec<u8>) {
    let (owner, grants) = inputs::grants::<C>(inputs::dates());
    (owner, grants[7].clone())
}

fn bare_grant<C: Bare>() -> Work {
    let (owner, grant) = signed::<C>();
    let key = C::verifier(owner.as_bytes());
    Box::new(move || bare::check::<C>(&key, &grant))
}

fn grant<C: Bare>() -> Work {
    let (owner, grant) = signed::<C>();
    let owner = Pinned::new(&C::default(), owner);
    Box::new(move || {
        let grant = Unverified::<Grant>::parse(black_box(&grant)).unwrap();
        black_box(grant.verify_pinned(&C::default(), &owner).unwrap());
    })
}

struct Door<C: Bare, P> {
    house: House<C, SLOTS>,
    session: Option<Session<P>>,
    message: Vec<u8>,
}

fn bundle<C: Bare>() -> Door<C, purpose::Install> {
    let mut house = House::new(1);
    let claimed = house.share(inputs::dates());
    let (session, message) = house.bundle(&claimed);
    Door { house, session: Some(session), message }
}

fn install<C: Bare>(mut door: Door<C, purpose::Install>) -> Work {
    Box::new(move || {
        let (house, session) = (&mut door.house, door.session.take().unwrap());
        let staged = house.lock.install(session, black_box(&door.message), NOW, &mut house.rng);
        let _ = black_box(staged.map(|staged| staged.commit(stored)));
    })
}

/// Refused by the last of its four signature checks.
fn bundle_verify<C: Bare>() -> Work {
    let door = bundle::<C>();
    let message = forged(&door.message);
    install(Door { message, ..door })
}

fn bundle_older_session<C: Bare>() -> Work {
    let mut door = bundle::<C>();
    let _newer = door.house.challenge::<purpose::Install>();
    install(door)
}

fn bundle_installed<C: Bare>() -> Work {
    install(bundle::<C>())
}

fn bare_bundle<C: Bare>() -> Work {
    let Door { house, message, .. } = bundle::<C>();
    let (owner, service) = (C::verifier(house.owner.key().as_bytes()), C::verifier(house.service.key().as_bytes()));
    let (subject, message) = (*house.account.public_key(), forged(&message));
    Box::new(move || {
        let parts = Bundle::parse(black_box(&message)).unwrap();
        let device = lanes::device(parts.claim);
        bare::check::<C>(&owner, parts.grant);
        bare::check_fresh::<C>(&subject, parts.claim);
        bare::check_fresh::<C>(&device, parts.install);
        assert!(!bare::holds::<C>(&service, parts.release));
    })
}

fn unlock<C: Bare>() -> Door<C, purpose::Operate> {
    let mut house = House::new(1);
    let claimed = house.share(inputs::dates());
    let key = house.download(&claimed);
    let (session, message) = house.unlock_message(&key);
    Door { house, session: Some(session), message: message.to_vec() }
}

fn open<C: Bare>(mut door: Door<C, purpose::Operate>) -> Work {
    Box::new(move || {
        let staged = door.house.lock.unlock(door.session.take().unwrap(), black_box(&door.message), NOW);
        let _ = black_box(staged.map(|staged| staged.commit(stored)));
    })
}

fn unlock_opened<C: Bare>() -> Work {
    open(unlock::<C>())
}

fn unlock_verify<C: Bare>() -> Work {
    let mut door = unlock::<C>();
    *door.message.last_mut().unwrap() ^= 1;
    open(door)
}

fn unlock_malformed<C: Bare>() -> Work {
    let mut door = unlock::<C>();
    door.message[5] = 9;
    open(door)
}

fn bare_unlock<C: Bare>() -> Work {
    let (key, message) = (C::macer(&[5; 32]), unlock::<C>().message);
    Box::new(move || {
        black_box(C::mac(black_box(&key), black_box(&message[..message.len() - 16])));
    })
}

#[library_benchmark]
#[bench::ring_bare_grant(bare_grant::<Ring>())]
#[bench::ring_grant(grant::<Ring>())]
#[bench::ring_bare_bundle(bare_bundle::<Ring>())]
#[bench::ring_bundle_verify(bundle_verify::<Ring>())]
#[bench::ring_bundle_older_session(bundle_older_session::<Ring>())]
#[bench::ring_bundle_installed(bundle_installed::<Ring>())]
#[bench::ring_bare_unlock(bare_unlock::<Ring>())]
#[bench::ring_unlock_verify(unlock_verify::<Ring>())]
#[bench::ring_unlock_malformed(unlock_malformed::<Ring>())]
#[bench::ring_unlock_opened(unlock_opened::<Ring>())]
#[bench::rustcrypto_bare_grant(bare_grant::<RustCrypto>())]
#[bench::rustcrypto_grant(grant::<RustCrypto>())]
#[bench::rustcrypto_bare_bundle(bare_bundle::<RustCrypto>())]
#[bench::rustcrypto_bundle_verify(bundle_verify::<RustCrypto>())]
#[bench::rustcrypto_bundle_older_session(bundle_older_session::<RustCrypto>())]
#[bench::rustcrypto_bundle_installed(bundle_installed::<RustCrypto>())]
#[bench::rustcrypto_bare_unlock(bare_unlock::<RustCrypto>())]
#[bench::rustcrypto_unlock_verify(unlock_verify::<RustCrypto>())]
#[bench::rustcrypto_unlock_malformed(unlock_malformed::<RustCrypto>())]
#[bench::rustcrypto_unlock_opened(unlock_opened::<RustCrypto>())]
fn count(mut work: Work) -> Work {
    work();
    work
}

library_benchmark_group!(name = paths; benchmarks = count);
main!(library_benchmark_groups = paths);
