//! The store keeps its contract wherever its power is cut, and cut again.
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, reason = "tests")]

use super::*;

const CELL: Cell = Cell::Counter;
const WORDS: [usize; 4] = [1, 2, 4, 8];

fn text(bytes: &[u8]) -> Reading {
    Reading::Bytes(Vec::from(bytes))
}

/// How many words it takes.
fn cost(flash: &Flash, run: impl Fn(&mut Flash) -> Result<(), Stopped>) -> u64 {
    let mut flash = flash.clone();
    let before = flash.spent();
    run(&mut flash).unwrap();
    flash.spent() - before
}

/// A flash with some history in a cell, at either parity of its boots.
fn histories() -> impl Iterator<Item = (Flash, Reading)> {
    let kinds = WORDS.into_iter().flat_map(|word| Tear::ALL.map(|tear| (word, tear)));
    kinds.flat_map(|(word, tear)| {
        (0..4_u8).flat_map(move |puts| {
            (0..2).map(move |boots| {
                let mut flash = Flash::new(Keeping::TwoPages, word, tear);
                let mut held = Reading::Nothing;
                for put in 0..puts {
                    flash.store(CELL, &[put; 3]).unwrap();
                    held = text(&[put; 3]);
                }
                (0..boots).for_each(|_| flash.boot(None).unwrap());
                assert_eq!(flash.read(CELL), held);
                (flash, held)
            })
        })
    })
}

/// Boots a few times; every boot reads the same, which is one of these.
fn settles(mut flash: Flash, before: &Reading, after: &Reading) -> (Flash, bool) {
    flash.boot(None).unwrap();
    let (settled, read) = (flash.clone(), flash.read(CELL));
    assert!(read == *before || read == *after, "{read:?}");
    for _ in 0..3 {
        flash.boot(None).unwrap();
        assert_eq!(flash.read(CELL), read, "another copy came back");
    }
    (settled, read == *after)
}

#[test]
fn a_put_that_is_cut_at_any_word_leaves_before_or_after_for_good() {
    let mut cases = 0;
    for (flash, before) in histories() {
        let put = |flash: &mut Flash| flash.store(CELL, b"next");
        let (whole, mut arrived) = (cost(&flash, put), false);
        for words in 0..=whole {
            let mut flash = flash.clone();
            flash.cut_after(words);
            assert_eq!(put(&mut flash).is_ok(), words == whole);
            let (mut flash, after) = settles(flash, &before, &text(b"next"));
            assert!(after >= arrived || flash.power.tear == Tear::Unsteady, "what arrived stays");
            arrived = after;
            // It works on.
            flash.store(CELL, b"last").unwrap();
            assert_eq!(settles(flash, &text(b"last"), &text(b"last")).0.read(CELL), text(b"last"));
            cases += 1;
        }
        assert!(arrived, "what was put is there");
    }
    assert!(cases > 1_500, "{cases}");
}

#[test]
fn recovery_that_is_cut_at_any_word_ends_at_the_next_boot() {
    let mut cases = 0;
    for (flash, before) in histories() {
        let whole = cost(&flash, |flash| flash.store(CELL, b"next"));
        for words in 0..whole {
            let mut cut = flash.clone();
            cut.cut_after(words);
            assert_eq!(cut.store(CELL, b"next"), Err(Stopped::PowerCut));
            for again in 0..cost(&cut, |flash| flash.boot(None)) {
                let mut twice = cut.clone();
                assert_eq!(twice.boot(Some(again)), Err(Stopped::PowerCut));
                let (twice, _) = settles(twice, &before, &text(b"next"));
                assert_eq!(twice.pages.values().filter(|page| !page.is_steady()).count(), 0);
                cases += 1;
            }
        }
    }
    assert!(cases > 10_000, "{cases}");
}

#[test]
fn a_second_put_that_is_cut_leaves_what_was_before_it_or_itself() {
    let mut cases = 0;
    for (flash, before) in histories().filter(|(flash, _)| flash.power.word > 1) {
        for words in 0..cost(&flash, |flash| flash.store(CELL, b"one")) {
            let mut first = flash.clone();
            first.cut_after(words);
            assert_eq!(first.store(CELL, b"one"), Err(Stopped::PowerCut));
            let (first, _) = settles(first, &before, &text(b"one"));
            let held = first.read(CELL);
            for words in 0..cost(&first, |flash| flash.store(CELL, b"other")) {
                let mut second = first.clone();
                second.cut_after(words);
                assert_eq!(second.store(CELL, b"other"), Err(Stopped::PowerCut));
                settles(second, &held, &text(b"other"));
                cases += 1;
            }
        }
    }
    assert!(cases > 9_000, "{cases}");
}

#[test]
fn what_ages_is_unreadable_and_no_older_copy_takes_its_place() {
    for (mut flash, before) in histories().filter(|(_, before)| *before != Reading::Nothing) {
        // Also where the last put was cut after its copy was whole.
        for words in (0..=cost(&flash, |flash| flash.store(CELL, b"next"))).rev().take(4) {
            let mut flash = flash.clone();
            flash.cut_after(words);
            let _ = flash.store(CELL, b"next");
            flash.boot(None).unwrap();
            flash.age(CELL);
            assert_eq!(settles(flash, &Reading::Unreadable, &before).0.read(CELL), Reading::Unreadable);
        }
        flash.age(CELL);
        for words in 0..cost(&flash, |flash| flash.store(CELL, b"anew")) {
            let mut flash = flash.clone();
            flash.cut_after(words);
            assert_eq!(flash.store(CELL, b"anew"), Err(Stopped::PowerCut));
            settles(flash, &Reading::Unreadable, &text(b"anew"));
        }
    }
}

#[test]
fn a_put_that_fails_with_the_power_on_takes_effect_at_once_or_never() {
    for (flash, before) in histories() {
        let whole = cost(&flash, |flash| flash.store(CELL, b"next"));
        let partways = (0..=whole).map(Failure::Partway);
        for failure in partways.chain([Failure::Before, Failure::After]) {
            let mut flash = flash.clone();
            flash.fail_next(failure);
            assert_eq!(flash.store(CELL, b"next"), Err(Stopped::Failed));
            flash.recover(CELL).unwrap();
            let read = flash.read(CELL);
            assert!(read == before || failure != Failure::Before);
            assert!(read == text(b"next") || failure != Failure::After);
            settles(flash, &read, &read);
        }
    }
}

#[test]
fn without_a_second_page_a_torn_put_is_unreadable_and_never_taken_for_nothing() {
    for (word, tear) in WORDS.into_iter().flat_map(|word| Tear::ALL.map(|tear| (word, tear))) {
        let mut flash = Flash::new(Keeping::InPlace, word, tear);
        flash.store(CELL, b"before").unwrap();
        let (whole, mut unreadable) = (cost(&flash, |flash| flash.store(CELL, b"next")), 0);
        for words in 0..whole {
            let mut flash = flash.clone();
            flash.cut_after(words);
            assert_eq!(flash.store(CELL, b"next"), Err(Stopped::PowerCut));
            flash.boot(None).unwrap();
            let read = flash.read(CELL);
            assert!([Reading::Unreadable, text(b"before"), text(b"next")].contains(&read));
            unreadable += u64::from(read == Reading::Unreadable);
        }
        assert!(unreadable + 4 > whole, "{unreadable} of {whole}");
        flash.store(CELL, b"next").unwrap();
        assert_eq!(flash.read(CELL), text(b"next"));
    }
}

#[test]
fn cells_are_apart_and_records_have_an_end() {
    let mut flash = Flash::new(Keeping::TwoPages, 4, Tear::Between);
    flash.store(CELL, &[7; MAX_RECORD]).unwrap();
    flash.store(Cell::Header, b"header").unwrap();
    assert_eq!(flash.store(CELL, &[7; MAX_RECORD + 1]), Err(Stopped::TooLong));
    flash.boot(None).unwrap();
    assert_eq!(flash.read(CELL), text(&[7; MAX_RECORD]));
    assert_eq!(flash.read(Cell::Header), text(b"header"));
    assert_eq!(flash.read(Cell::Seed), Reading::Nothing);
    flash.cut_after(0);
    assert_eq!(flash.store(CELL, b"x"), Err(Stopped::PowerCut));
    assert_eq!(flash.store(CELL, b"x"), Err(Stopped::PowerCut), "until the next boot");
}
