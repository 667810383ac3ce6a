//! The process: its key, its end, and a store that is older than it was.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sharekey_stage::desk::service_seed;

use crate::http::{ask, service, shared, tell};
use crate::pair::{Pair, sent};
use crate::servers::{Answer, Setup, agent, post, write};

fn key_of(server: &crate::servers::Server) -> String {
    let about: serde_json::Value = serde_json::from_slice(&ask(server, "GET", "/v1/service", b"").body).unwrap();
    about["key"].as_str().unwrap().to_owned()
}

#[test]
fn a_key_is_made_once_and_nobody_else_can_read_it() {
    let setup = Setup::new(None);
    let server = setup.start();
    let made = key_of(&server);
    let rights = std::fs::metadata(setup.key()).unwrap().permissions().mode() & 0o777;
    assert_eq!((made.len(), rights), (64, 0o600));
    assert!(server.end());
    let server = setup.start();
    assert_eq!(key_of(&server), made);
    assert_eq!(ask(&server, "GET", "/readyz", b"").status, 200);
    let secret = std::fs::read(setup.key()).unwrap();
    assert!(server.end());
    assert!(!setup.logged().contains(&secret.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));

    std::fs::set_permissions(setup.key(), std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(setup.refuses(&[]).contains("chmod 600"));
    write(&setup.key(), b"short");
    std::fs::set_permissions(setup.key(), std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(setup.refuses(&[]).contains("32 bytes"));
}

/// What is answered was stored, and what comes while it ends is answered or not taken.
#[test]
fn a_service_that_is_told_to_end_serves_what_it_has_taken() {
    let (setup, server) = service();
    let (url, next, served) = (server.url.clone(), AtomicU32::new(0), std::sync::Mutex::new(Vec::new()));
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                loop {
                    let pair = Pair::new(next.fetch_add(1, Ordering::Relaxed));
                    for asked in pair.opening() {
                        let (path, body) = sent(&pair, &asked);
                        match post(&agent(), &url, &path, &body) {
                            Answer::Served(_) => {}
                            // A connection that was made, and not yet taken from the system's queue.
                            Answer::NotSent | Answer::Unknown => return,
                            refused @ Answer::Refused(_) => panic!("{refused:?}"),
                        }
                    }
                    served.lock().unwrap().push(pair);
                }
            });
        }
        std::thread::sleep(Duration::from_millis(500));
        assert!(server.end());
    });
    let (served, server) = (served.into_inner().unwrap(), setup.start());
    assert!(served.len() > 5);
    for pair in served {
        let report = tell(&server, &pair, &pair.report(1));
        assert_eq!(sharekey::message::ReportAnswer::parse(&report).unwrap().messages().count(), 3);
    }
}

/// A release may be forgotten, so nothing is denied; and everybody is told why.
#[test]
fn after_a_restore_nothing_is_signed_until_the_owner_took_the_lock_anew() {
    let (setup, server) = service();
    let pair = shared(&server, 1);
    assert!(server.end());
    let older = std::fs::read(setup.records()).unwrap();
    let server = setup.start();
    tell(&server, &pair, &pair.release(1));
    assert!(server.end());
    // The backup.
    std::fs::write(setup.records(), older).unwrap();
    for left in ["-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{left}", setup.records().display())));
    }
    let server = setup.start_with("127.0.0.1:0", &["--restored"]);
    for asked in [pair.withdrawal(), pair.release(1), pair.report(1)] {
        let (path, body) = sent(&pair, &asked);
        assert_eq!(post(&agent(), &server.url, &path, &body), Answer::Refused("Service.Restored".to_owned()), "{path}");
    }
    // Said once more it marks nothing, and an ordinary start forgets no mark.
    assert!(server.end());
    assert!(setup.start_with("127.0.0.1:0", &["--restored"]).end());
    let server = setup.start();
    let (path, body) = sent(&pair, &pair.withdrawal());
    assert_eq!(post(&agent(), &server.url, &path, &body), Answer::Refused("Service.Restored".to_owned()));
    tell(&server, &pair, &pair.transfer(2));
    tell(&server, &pair, &pair.report(1));
}

#[test]
fn an_unsafe_database_is_refused_with_its_reason() {
    let setup = Setup::new(Some("sqlite::memory:".to_owned()));
    write(&setup.key(), service_seed().expose());
    assert!(setup.refuses(&[]).contains("the database is in memory: "));
    assert!(Setup::new(Some("mysql://there".to_owned())).refuses(&[]).contains("sqlite:FILE or postgres://"));
}
