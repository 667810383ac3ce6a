//! Whoever services a lock orders another in its place, and the power goes while it is made.

use sharekey::lock::{Cell, Making};
use sharekey_model::power::Tear;
use sharekey_model::symbolic::Symbolic;

use crate::damage::provision_and_live;
use sharekey_power_loss::door::{Door, Torn};
use sharekey_power_loss::drive::Run;
use sharekey_power_loss::facts::{self, SLOTS};
use sharekey_power_loss::script::LIFE;
use sharekey_power_loss::world::{CARD, stored};
use sharekey_stage::firmware;

const WORD: usize = 8;

/// A lock half-way through its life, and the records of the making that is ordered.
fn ordered() -> (Run<Symbolic>, Vec<(Cell, Vec<u8>)>) {
    let mut run = Run::new(WORD);
    assert!(run.go_to(LIFE.len() / 2));
    let Door { flash, entropy, .. } = &mut run.door;
    let mut making: Making<Symbolic, SLOTS> = firmware::begin(Symbolic, CARD, Torn(flash), entropy);
    let mut records = Vec::new();
    let Ok(()) = firmware::records(&mut making, |record| {
        records.push((record.cell(), record.as_bytes().to_vec()));
        stored(record)
    });
    (run, records)
}

#[test]
fn a_lock_that_is_made_over_another_is_the_old_one_or_none_until_it_is_whole() {
    let (run, records) = ordered();
    let (mut cuts, mut old, mut none) = (0, 0, 0);
    let mut flash = run.door.flash.clone();
    for (at, (cell, record)) in records.iter().enumerate() {
        let mut whole = flash.clone();
        whole.store(*cell, record).unwrap();
        for words in 0..whole.spent() - flash.spent() {
            let mut torn = flash.clone();
            torn.set_tear(Tear::HalfTheBits);
            torn.cut_after(words);
            assert!(torn.store(*cell, record).is_err());
            torn.boot(None).unwrap();
            cuts += 1;
            let mut life = run.dark_at(torn);
            if life.door.flash.read(Cell::Seed) == run.door.flash.read(Cell::Seed) {
                assert_eq!(at, 0, "the old lock, with records of another");
                old += 1;
                life.live_on(None);
            } else if at + 1 < records.len() || life.door.flash.read(*cell).bytes() != Some(record) {
                assert_eq!(facts::stored(&life.door.flash), None);
                none += 1;
                life.world.facts = None;
                life.door.boot(&mut life.world).unwrap();
                provision_and_live(&mut life);
            }
        }
        flash = whole;
    }
    println!("made over another: {cuts} cuts, {old} of the old lock, {none} of none");
    assert!(old > 3 && none > 50, "{cuts} {old} {none}");
}
