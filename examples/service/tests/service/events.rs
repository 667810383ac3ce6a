//! Who listens hears each thing that happened once, also over crashes, and nobody hears of others' locks.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use serde_json::Value;
use sharekey_stage::desk::{owner_seed, stranger_seed};

use crate::http::{service, shared, tell};
use crate::servers::Server;

/// An event's id, and its data.
type Heard = (String, Value);

struct Listener(BufReader<Box<dyn std::io::Read>>);

impl Listener {
    /// Everything that happened, or what did after an event.
    fn of_all(server: &Server, after: &str) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(20))).build();
        let request = ureq::Agent::from(config).get(format!("{}/v1/events", server.url));
        let request = request.header("authorization", "Bearer operator").header("last-event-id", after);
        Self(BufReader::new(Box::new(request.call().unwrap().into_body().into_reader())))
    }

    fn of_a_lock(server: &Server, lock: &str, request: &[u8]) -> Result<Self, ureq::Error> {
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(20))).build();
        let asked = ureq::Agent::from(config).post(format!("{}/v1/locks/{lock}/events", server.url));
        let response = asked.header("last-event-id", "0-0").send(request)?;
        Ok(Self(BufReader::new(Box::new(response.into_body().into_reader()))))
    }

    /// The next event; `None` where the stream has ended.
    fn next(&mut self) -> Option<Heard> {
        let (mut id, mut data) = (String::new(), Value::Null);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some(("id", found)) => found.clone_into(&mut id),
                Some(("data", found)) => data = serde_json::from_str(found).unwrap(),
                _ if line.trim_end().is_empty() && !id.is_empty() => return Some((id, data)),
                _ => {}
            }
        }
    }

    fn take(&mut self, count: usize) -> Vec<Heard> {
        (0..count).map(|_| self.next().unwrap()).collect()
    }
}

fn names(heard: &[Heard]) -> Vec<String> {
    let name = |changed: &Value| match changed {
        Value::String(name) => name.clone(),
        changed => changed.as_object().unwrap().keys().next().unwrap().clone(),
    };
    heard.iter().map(|(_, data)| name(&data["changed"])).collect()
}

#[test]
fn a_receipt_is_one_download_however_often_it_comes_and_however_often_the_service_dies() {
    let (setup, mut server) = service();
    let pair = shared(&server, 1);
    tell(&server, &pair, &pair.release(1));
    let mut listener = Listener::of_all(&server, "0-0");
    let mut heard = listener.take(4);
    for _ in 0..3 {
        tell(&server, &pair, &pair.receipt(1));
        tell(&server, &pair, &pair.receipt(1));
        server.kill();
        assert!(listener.next().is_none_or(|event| {
            heard.push(event);
            listener.next().is_none()
        }));
        server = setup.start();
        listener = Listener::of_all(&server, &heard.last().unwrap().0);
    }
    tell(&server, &pair, &pair.withdrawal());
    while names(&heard).last().is_none_or(|name| name != "Withdrawn") {
        heard.push(listener.next().unwrap());
    }
    assert_eq!(names(&heard), ["Opened", "Activated", "Published", "Released", "Downloaded", "Withdrawn"]);
    let again = Listener::of_all(&server, "0-0").take(heard.len());
    assert_eq!(again, heard);
    assert_eq!(heard[0].1["slot"], Value::Null, "the lock's own");
    assert_eq!(heard[2].1["slot"], 0);
    assert_eq!(heard[2].1["lock"], pair.lock.to_string());
}

#[test]
fn an_owner_hears_of_his_lock_alone_and_a_stranger_of_none() {
    let (_setup, server) = service();
    let (other, pair) = (shared(&server, 2), shared(&server, 1));
    let mut listener = Listener::of_a_lock(&server, &pair.lock.to_string(), &pair.request(&owner_seed(), 1)).unwrap();
    assert_eq!(names(&listener.take(3)), ["Opened", "Activated", "Published"]);
    tell(&server, &other, &other.withdrawal());
    tell(&server, &pair, &pair.withdrawal());
    let (_, heard) = listener.next().unwrap();
    assert_eq!(heard["lock"], pair.lock.to_string());
    for (lock, request) in [
        (pair.lock, pair.request(&stranger_seed(), 1)),
        (other.lock, pair.request(&owner_seed(), 1)),
        (pair.lock, pair.grant()),
    ] {
        assert!(Listener::of_a_lock(&server, &lock.to_string(), &request).is_err());
    }
}
