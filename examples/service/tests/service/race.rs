//! A release and a withdrawal at once, over three processes: one comes first, and everybody is told the same.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sharekey::crypto::Ring;
use sharekey::error::{ServiceError, StoredRecordError};
use sharekey::message::{Withdrawn, WithdrawnOutcome};
use sharekey::service::{Key, Put, Service};
use sharekey::wire::Unverified;
use sharekey_service::desk::Asked;
use sharekey_stage::desk::service_seed;
use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester, SequentialSpec};

use crate::pair::{Pair, now, sent};
use crate::servers::{Answer, Server, Setup, agent, post, write};
use crate::stores;

const PAIRS: u32 = 300;
const PROCESSES: usize = 3;

/// The library's own role over a map: what the service has to be like, however many processes it is.
#[derive(Clone, PartialEq, Debug, Default)]
struct Object(BTreeMap<Key, Vec<u8>>);

/// What is asked of the object. Requests are made of bytes, so equal requests are one.
type Ret = Result<Vec<u8>, String>;

impl SequentialSpec for Object {
    type Op = Asked;
    type Ret = Ret;

    fn invoke(&mut self, asked: &Asked) -> Ret {
        let service = Service::new(Ring, &service_seed()).unwrap();
        let decided = service.serve(asked.request(now()), |key| Ok::<_, ServiceError>(self.0.get(&key).cloned()));
        let taken = decided.and_then(|decided| {
            let Ok(taken) = decided.commit(|write| {
                let (Put::New(next) | Put::InPlaceOf { next, .. }) = write.put();
                self.0.insert(write.key(), next.to_vec());
                Ok::<_, StoredRecordError>(())
            }) else {
                panic!("a map takes everything")
            };
            taken.answer()
        });
        taken.map_err(|error| error.name().to_owned())
    }
}

/// What was asked of one pair, and what came of it, in the order in which both were seen.
#[derive(Default)]
struct History {
    events: Mutex<Vec<(usize, Seen)>>,
    asked: AtomicUsize,
}

enum Seen {
    Asked(Asked),
    Answered(Ret),
}

impl History {
    /// An attempt whose outcome is unknown is an operation in flight of its own, for good.
    fn ask(&self, pair: &Pair, asked: Asked, server: &str, agent: &ureq::Agent) -> Option<Ret> {
        let operation = self.asked.fetch_add(1, Ordering::Relaxed);
        let (path, body) = sent(pair, &asked);
        self.events.lock().unwrap().push((operation, Seen::Asked(asked)));
        let answer = match post(agent, server, &path, &body) {
            Answer::Served(answer) => Ok(answer),
            Answer::Refused(code) => Err(code),
            Answer::Unknown => return None,
            // Nobody was there to take it.
            Answer::NotSent => {
                self.events.lock().unwrap().retain(|(asked, _)| *asked != operation);
                return None;
            }
        };
        self.events.lock().unwrap().push((operation, Seen::Answered(answer.clone())));
        Some(answer)
    }

    fn is_linearizable(&self) -> bool {
        let mut tester = LinearizabilityTester::new(Object::default());
        for (operation, seen) in self.events.lock().unwrap().iter() {
            let told = match seen {
                Seen::Asked(asked) => tester.on_invoke(*operation, asked.clone()).map(drop),
                Seen::Answered(answer) => tester.on_return(*operation, answer.clone()).map(drop),
            };
            told.unwrap();
        }
        tester.is_consistent()
    }
}

/// Asks until an answer comes, of one process after another.
fn insist(history: &History, pair: &Pair, asked: &Asked, servers: &[String], first: usize) -> Ret {
    let agent = agent();
    for attempt in 0..2_000 {
        let server = &servers[(first + attempt) % servers.len()];
        if let Some(answer) = history.ask(pair, asked.clone(), server, &agent) {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("no answer to {asked:?}")
}

/// What a run came to.
#[derive(Default, Debug)]
struct Tally {
    withdrawn_first: u32,
    released_first: u32,
    in_flight: usize,
    broken: Vec<String>,
}

fn play(number: u32, servers: &[String]) -> Tally {
    let (pair, history, mut tally) = (Pair::new(number), History::default(), Tally::default());
    let first = number as usize;
    for asked in pair.opening() {
        insist(&history, &pair, &asked, servers, first).unwrap();
    }
    let (withdrawn, released) = std::thread::scope(|threads| {
        let withdraws = threads.spawn(|| insist(&history, &pair, &pair.withdrawal(), servers, first));
        let releases = threads.spawn(|| insist(&history, &pair, &pair.release(1), servers, first + 1));
        insist(&history, &pair, &pair.report(1), servers, first + 2).unwrap();
        (withdraws.join().unwrap().unwrap(), releases.join().unwrap())
    });
    // Without a read in the end, acknowledged work that is lost would not be missed.
    insist(&history, &pair, &pair.report(2), servers, first).unwrap();
    let outcome = Unverified::<Withdrawn>::parse(&withdrawn).unwrap().claims().outcome;
    match (outcome == WithdrawnOutcome::NeverReleased, released.is_ok()) {
        (true, true) => tally.broken.push(format!("pair {number}: released, and said never to be")),
        (true, false) => tally.withdrawn_first += 1,
        (false, _) => tally.released_first += 1,
    }
    if !history.is_linearizable() {
        tally.broken.push(format!("pair {number}: no order of its requests explains the answers"));
    }
    let events = history.events.lock().unwrap();
    let answered = events.iter().filter(|(_, seen)| matches!(seen, Seen::Answered(_))).count();
    tally.in_flight = events.len() - 2 * answered;
    tally
}

fn race(setup: &Setup, disturb: impl Fn(&mut Vec<Server>, &AtomicBool) + Sync) -> Tally {
    write(&setup.key(), service_seed().expose());
    let mut processes: Vec<Server> = (0..PROCESSES).map(|_| setup.start()).collect();
    let servers: Vec<String> = processes.iter().map(|server| server.url.clone()).collect();
    let (next, over, sum) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(Tally::default()));
    std::thread::scope(|threads| {
        threads.spawn(|| disturb(&mut processes, &over));
        let players: Vec<_> = (0..4)
            .map(|_| {
                threads.spawn(|| {
                    while let Some(number) =
                        u32::try_from(next.fetch_add(1, Ordering::Relaxed)).ok().filter(|n| *n < PAIRS)
                    {
                        let played = play(number, &servers);
                        let mut sum = sum.lock().unwrap();
                        sum.withdrawn_first += played.withdrawn_first;
                        sum.released_first += played.released_first;
                        sum.in_flight += played.in_flight;
                        sum.broken.extend(played.broken);
                    }
                })
            })
            .collect();
        players.into_iter().for_each(|player| player.join().unwrap());
        over.store(true, Ordering::Relaxed);
    });
    let tally = sum.into_inner().unwrap();
    println!(
        "{PAIRS} pairs: {} withdrawn first, {} released first, {} attempts without an answer",
        tally.withdrawn_first, tally.released_first, tally.in_flight
    );
    tally
}

fn holds(tally: &Tally) {
    assert_eq!(tally.broken, [""; 0]);
    // Else there was no race.
    assert!(tally.withdrawn_first > 10 && tally.released_first > 10, "{tally:?}");
}

/// The check itself: what a store forgets after it was acknowledged is noticed, by the read at the end.
#[test]
fn an_acknowledged_withdrawal_that_is_forgotten_is_noticed() {
    let (pair, mut object) = (Pair::new(1), Object::default());
    let mut asked: Vec<(Asked, Ret)> = pair.opening().map(|asked| (asked.clone(), object.invoke(&asked))).into();
    let mut older = object.clone();
    asked.push((pair.withdrawal(), object.invoke(&pair.withdrawal())));
    let history = |asked: &[(Asked, Ret)]| {
        let history = History::default();
        for (operation, (asked, answer)) in asked.iter().enumerate() {
            let seen = [Seen::Asked(asked.clone()), Seen::Answered(answer.clone())];
            history.events.lock().unwrap().extend(seen.map(|seen| (operation, seen)));
        }
        history
    };
    assert!(history(&asked).is_linearizable(), "without the read nobody knows");
    let read = |object: &mut Object| (pair.report(1), object.invoke(&pair.report(1)));
    let right = read(&mut object);
    let forgotten = read(&mut older);
    assert!(right.1.is_ok() && forgotten.1.is_ok());
    assert!(history(&[&asked[..], &[right]].concat()).is_linearizable());
    assert!(!history(&[&asked[..], &[forgotten]].concat()).is_linearizable());
    // Both had their way.
    asked.push((pair.release(1), older.invoke(&pair.release(1))));
    assert!(asked.iter().all(|(_, answer)| answer.is_ok()));
    assert!(!history(&asked).is_linearizable());
}

/// Every process is killed again and again, and started again.
fn kill(setup: &Setup, processes: &mut [Server], over: &AtomicBool) {
    let mut killed = 0;
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(400));
        let process = &mut processes[killed % PROCESSES];
        process.kill();
        std::thread::sleep(Duration::from_millis(100));
        *process = setup.start_at(&process.url);
        killed += 1;
    }
    println!("{killed} times a process was killed");
    assert!(killed > 5, "the race was over before it began");
}

#[test]
fn one_of_release_and_withdrawal_comes_first_on_sqlite_while_processes_are_killed() {
    let setup = Setup::new(None);
    holds(&race(&setup, |processes, over| kill(&setup, processes, over)));
}

/// A process that stands still holds what it has decided on, and goes on with it when the others have long decided anew.
#[test]
fn one_of_release_and_withdrawal_comes_first_while_processes_stand_still() {
    let setup = Setup::new(stores::server().map(|server| stores::block_on(stores::database(&server))));
    holds(&race(&setup, |processes, over| {
        let mut stopped = 0;
        while !over.load(Ordering::Relaxed) {
            let process = &processes[stopped % PROCESSES];
            process.signal("-STOP");
            std::thread::sleep(Duration::from_millis(300));
            process.signal("-CONT");
            std::thread::sleep(Duration::from_millis(50));
            stopped += 1;
        }
        println!("{stopped} times a process stood still");
        assert!(stopped > 5, "the race was over before it began");
    }));
}

#[test]
fn one_of_release_and_withdrawal_comes_first_on_postgres_while_processes_are_killed() {
    let Some(server) = stores::server() else { return };
    let setup = Setup::new(Some(stores::block_on(stores::database(&server))));
    holds(&race(&setup, |processes, over| kill(&setup, processes, over)));
}

#[test]
fn one_of_release_and_withdrawal_comes_first_while_postgres_crashes() {
    let Some(own) = stores::Own::start(&[]) else { return };
    let setup = Setup::new(Some(own.url.clone()));
    holds(&race(&setup, |_, over| {
        let mut crashed = 0;
        while !over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1_500));
            own.crash();
            own.start_again();
            crashed += 1;
        }
        println!("{crashed} times the server crashed");
        assert!(crashed > 2, "the race was over before it began");
    }));
}
