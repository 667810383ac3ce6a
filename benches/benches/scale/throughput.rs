//! The service over a map with compare-and-swap, in memory: what a core does when nothing waits for a disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use sharekey::crypto::Ring;
use sharekey::service::{Service, ShareRecord};

use super::grown::with_live;
use sharekey_benches::inputs::{SLOTS, dates};
use sharekey_benches::table::Table;
use sharekey_stage::house::House;

/// Somebody else stored the record first.
struct Conflict;

/// One record's cell: read it, and replace it only where nobody did meanwhile.
struct Cell(Mutex<ShareRecord>);

impl Cell {
    fn read(&self) -> ShareRecord {
        self.0.lock().unwrap().clone()
    }

    fn swap(&self, next: &ShareRecord) -> Result<(), Conflict> {
        let mut current = self.0.lock().unwrap();
        if current.version() + 1 != next.version() {
            return Err(Conflict);
        }
        *current = next.clone();
        Ok(())
    }
}

/// A message, or a claim and an install.
fn apply(service: &Service<Ring>, record: &mut ShareRecord, sent: &[Vec<u8>], cell: &Cell) -> Result<(), Conflict> {
    let staged = match sent {
        [claim, install] => service.take(record, (claim, install)),
        _ => service.take(record, &sent[0]),
    };
    staged.unwrap().commit(|next| cell.swap(next)).map(|taken| drop(taken.answer().unwrap()))
}

/// Does it until it is stored; gives how often somebody else was first.
fn settle(service: &Service<Ring>, cell: &Cell, sent: &[Vec<u8>]) -> u64 {
    let mut conflicts = 0;
    while apply(service, &mut cell.read(), sent, cell).is_err() {
        conflicts += 1;
    }
    conflicts
}

/// A slot's record, and what was sent to it: a publish, a release and a withdrawal, over and over.
struct Slot {
    cell: Cell,
    service: Service<Ring>,
    cycles: Vec<[Vec<Vec<u8>>; 3]>,
}

/// As many cycles as a record takes before a receipt has to prove something dead.
const CYCLES: usize = 15;

fn slot(number: u64) -> Slot {
    let mut house = House::<Ring, SLOTS>::new(1_000 + number);
    let cell = Cell(Mutex::new(house.record.clone()));
    let cycles = (0..CYCLES)
        .map(|_| {
            let claimed = house.share(dates());
            let (_, attempt) = house.arrive(&claimed);
            house.release(&attempt);
            let withdraw = house.withdraw();
            let install = vec![attempt.claim().to_vec(), attempt.install().to_vec()];
            [vec![claimed.grant().to_vec()], install, vec![withdraw]]
        })
        .collect();
    let House { service, .. } = house;
    Slot { cell, service, cycles }
}

/// The time for all of each kind, by one thread over its own slots.
fn work(slots: &[Slot]) -> [Duration; 3] {
    let mut spent = [Duration::ZERO; 3];
    for cycle in 0..CYCLES {
        for (kind, spent) in spent.iter_mut().enumerate() {
            let start = Instant::now();
            for slot in slots {
                settle(&slot.service, &slot.cell, &slot.cycles[cycle][kind]);
            }
            *spent += start.elapsed();
        }
    }
    spent
}

/// Operations in a second of each kind, all threads together, each on its own slots.
#[allow(clippy::cast_precision_loss, reason = "few")]
fn apart(threads: usize, slots: usize) -> [f64; 3] {
    let start = Arc::new(Barrier::new(threads));
    let shares: Vec<Vec<Slot>> = (0..threads)
        .map(|thread| (0..slots).map(|number| slot(u64::try_from(thread * slots + number).unwrap())).collect())
        .collect();
    let workers: Vec<_> = shares
        .into_iter()
        .map(|slots| {
            let start = Arc::clone(&start);
            thread::spawn(move || {
                start.wait();
                work(&slots)
            })
        })
        .collect();
    let spent: Vec<[Duration; 3]> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
    let rate = |kind: usize| spent.iter().map(|spent| (slots * CYCLES) as f64 / spent[kind].as_secs_f64()).sum();
    [rate(0), rate(1), rate(2)]
}

/// Releases of one share again and again, by threads that all want the same record; and the share of attempts
/// that somebody else was ahead of.
#[allow(clippy::cast_precision_loss, reason = "few")]
fn contended(threads: usize, length: Duration) -> (f64, f64) {
    let mut house = with_live(0);
    let claimed = house.share(dates());
    let attempts: Vec<_> = (0..64).map(|_| house.arrive(&claimed).1).collect();
    let sent: Vec<_> = attempts.iter().map(|attempt| [attempt.claim().to_vec(), attempt.install().to_vec()]).collect();
    let (service, cell) = (house.service, Cell(Mutex::new(house.record)));
    let (done, conflicts) = (AtomicU64::new(0), AtomicU64::new(0));
    let start = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            let (service, cell, done, conflicts, sent) = (&service, &cell, &done, &conflicts, &sent);
            scope.spawn(move || {
                for sent in sent.iter().cycle().skip(thread * 7) {
                    conflicts.fetch_add(settle(service, cell, sent), Ordering::Relaxed);
                    done.fetch_add(1, Ordering::Relaxed);
                    if start.elapsed() >= length {
                        break;
                    }
                }
            });
        }
    });
    let (done, conflicts) = (done.into_inner() as f64, conflicts.into_inner() as f64);
    (done / start.elapsed().as_secs_f64(), conflicts / (done + conflicts))
}

pub fn table(quick: bool) {
    let (slots, length) = if quick { (8, Duration::from_millis(300)) } else { (64, Duration::from_secs(2)) };
    let columns = ["threads", "publish", "release", "withdraw", "release, all of one record", "lost swaps"];
    let mut table = Table::new("The service, operations a second over a map in memory (ring)", &columns);
    for threads in [1, 2] {
        let rates = apart(threads, slots);
        let (contended, lost) = contended(threads, length);
        let mut row = vec![threads.to_string()];
        row.extend(rates.iter().chain([&contended]).map(|rate| format!("{rate:.0}")));
        row.push(format!("{:.0} %", lost * 100.0));
        table.row(&row);
    }
    table.finish("throughput");
}
