//! What is asked by HTTP, of whom, and what is said to whoever asks for something else.

use std::collections::BTreeSet;

use serde_json::Value;
use sharekey::message::ReportAnswer;
use sharekey_stage::desk::{owner_seed, service_seed, stranger_seed, subject_seed};

use crate::pair::{Pair, find, sent};
use crate::servers::{Answer, Server, Setup, agent, post, write};

/// A response, whatever its status.
pub struct Response {
    pub status: u16,
    pub kind: String,
    pub next: Option<String>,
    pub retry_after: Option<String>,
    pub body: Vec<u8>,
}

impl Response {
    fn problem(&self) -> Value {
        assert_eq!(self.kind, "application/problem+json", "{} {}", self.status, String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    fn code(&self) -> (u16, String) {
        (self.status, self.problem()["code"].as_str().unwrap().to_owned())
    }
}

pub fn ask(server: &Server, method: &str, path: &str, body: &[u8]) -> Response {
    let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", server.url));
    let mut response = agent().run(request.body(body).unwrap()).unwrap();
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (kind, next, retry_after) = (header("content-type").unwrap_or_default(), header("next"), header("retry-after"));
    let status = response.status().as_u16();
    Response { status, kind, next, retry_after, body: response.body_mut().read_to_vec().unwrap() }
}

/// A service whose key is the stage's.
pub fn service() -> (Setup, Server) {
    let setup = Setup::new(None);
    write(&setup.key(), service_seed().expose());
    let server = setup.start();
    (setup, server)
}

pub fn shared(server: &Server, number: u32) -> Pair {
    let pair = Pair::new(number);
    for asked in pair.opening() {
        tell(server, &pair, &asked);
    }
    pair
}

/// Sends it, and it is served.
pub fn tell(server: &Server, pair: &Pair, asked: &sharekey_service::desk::Asked) -> Vec<u8> {
    let (path, body) = sent(pair, asked);
    match post(&agent(), &server.url, &path, &body) {
        Answer::Served(answer) => answer,
        other => panic!("{path}: {other:?}"),
    }
}

fn frames(mut body: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let Some((length, rest)) = body.split_first_chunk::<2>() {
        let (message, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        messages.push(message.to_vec());
        body = rest;
    }
    messages
}

#[test]
fn the_routes_are_those_of_their_description_and_of_the_page() {
    let (_setup, server) = service();
    let description: Value = serde_json::from_slice(&ask(&server, "GET", "/openapi.json", b"").body).unwrap();
    let mut described = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        let there = path.replace("{lock}", &"0".repeat(64)).replace("{slot}", "0");
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let response = ask(&server, method, &there, b"");
            if methods.get(method.to_lowercase()).is_some() {
                assert!(![404, 405].contains(&response.status), "{method} {path} is not served");
                described.insert(format!("{method} {path}"));
            } else {
                assert_eq!(response.code(), (405, "Http.Method".to_owned()), "{method} {path}");
            }
        }
    }
    let page = include_str!("../../README.md");
    let named = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let mut named: BTreeSet<String> =
        named.map(|(route, _)| route.to_owned()).filter(|route| route.contains(" /")).collect();
    for undescribed in ["GET /openapi.json", "GET /metrics"] {
        assert_eq!(ask(&server, "GET", undescribed.split_once(' ').unwrap().1, b"").status, 200);
        assert!(named.remove(undescribed), "the page does not name {undescribed}");
    }
    assert_eq!(described, named);
}

#[test]
fn what_is_refused_is_a_problem_with_a_code() {
    let (_setup, server) = service();
    let pair = Pair::new(1);
    let slot = format!("/v1/locks/{}/slots/0", pair.lock);
    let grant = pair.grant();
    let cases: [(&str, String, &[u8], u16, &str); 11] = [
        ("GET", "/nowhere".into(), b"", 404, "Http.NoSuchPage"),
        ("POST", "/v1/locks/12/slots/0/grants".into(), &grant, 400, "Http.Path"),
        ("POST", format!("/v1/locks/{}/slots/256/grants", pair.lock), &grant, 400, "Http.Path"),
        ("POST", format!("{slot}/grants"), &[0; 4097], 413, "Http.TooLarge"),
        ("POST", format!("{slot}/grants"), b"", 400, "Service.Wire.Truncated"),
        ("POST", format!("{slot}/withdrawals"), &grant, 400, "Http.OtherPlace"),
        ("POST", format!("/v1/locks/{}/slots/1/grants", pair.lock), &grant, 400, "Http.OtherPlace"),
        ("POST", format!("{slot}/releases"), &grant, 400, "Http.Frames"),
        ("POST", format!("{slot}/grants"), &grant, 409, "Service.UnknownLock"),
        ("POST", "/v1/grants?after=x".into(), &find(&subject_seed()), 400, "Http.After"),
        ("GET", "/v1/events".into(), b"", 401, "Http.Operator"),
    ];
    for (method, path, body, status, code) in cases {
        let response = ask(&server, method, &path, body);
        assert_eq!(response.code(), (status, code.to_owned()), "{method} {path}");
        let problem = response.problem();
        assert_eq!(problem["status"], status);
        for words in ["type", "title", "fault", "retry", "detail"] {
            assert!(problem[words].as_str().is_some_and(|text| !text.is_empty()), "{words} of {problem}");
        }
    }
    let told = serde_json::to_value(sharekey::error::ServiceError::UnknownLock.retry()).unwrap();
    assert_eq!(ask(&server, "POST", &format!("{slot}/grants"), &grant).problem()["retry"], told);
}

#[test]
fn a_guest_finds_what_is_shared_with_it_and_an_owner_his_locks_and_nobody_else_does() {
    let (_setup, server) = service();
    let pair = shared(&server, 1);
    let found = ask(&server, "POST", "/v1/grants", &find(&subject_seed()));
    assert_eq!((found.status, frames(&found.body), found.next), (200, vec![pair.grant()], None));
    let locks = frames(&ask(&server, "POST", "/v1/locks", &find(&owner_seed())).body);
    let [sharekey_service::desk::Asked::Message(statement), ..] = pair.opening() else { panic!() };
    assert_eq!(locks, [statement]);
    for path in ["/v1/grants", "/v1/locks"] {
        assert_eq!(frames(&ask(&server, "POST", path, &find(&stranger_seed())).body), [b""; 0]);
        let mut forged = find(&subject_seed());
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(ask(&server, "POST", path, &forged).status, 403);
    }
    let report = ask(&server, "POST", "/v1/reports", &pair.request(&owner_seed(), 1));
    assert_eq!(report.status, 200);
    assert_eq!(ReportAnswer::parse(&report.body).unwrap().messages().count(), 3, "ownership, activation, grant");
    let strange = ask(&server, "POST", "/v1/reports", &pair.request(&stranger_seed(), 1));
    assert_eq!((strange.status, strange.problem()["fault"].as_str()), (403, Some("Caller")));
    tell(&server, &pair, &pair.withdrawal());
    assert_eq!(frames(&ask(&server, "POST", "/v1/grants", &find(&subject_seed())).body), [b""; 0]);
}

#[test]
fn what_is_found_comes_page_by_page() {
    let (_setup, server) = service();
    let mut expected: Vec<Pair> = (0..51).map(|number| shared(&server, number)).collect();
    expected.sort_by_key(|pair| pair.lock);
    for (path, by) in [("/v1/grants", subject_seed()), ("/v1/locks", owner_seed())] {
        let first = ask(&server, "POST", path, &find(&by));
        let next = first.next.unwrap();
        let second = ask(&server, "POST", &format!("{path}?after={next}"), &find(&by));
        assert_eq!((frames(&first.body).len(), frames(&second.body).len(), second.next), (50, 1, None));
        let all = [frames(&first.body), frames(&second.body)].concat();
        if path == "/v1/grants" {
            assert_eq!(all, expected.iter().map(Pair::grant).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_share_is_released_and_proven_and_the_same_again_is_answered_the_same() {
    let (_setup, server) = service();
    let pair = shared(&server, 1);
    let release = tell(&server, &pair, &pair.release(1));
    assert_eq!(tell(&server, &pair, &pair.release(1)), release);
    assert_eq!(tell(&server, &pair, &pair.receipt(1)), b"");
    assert_eq!(tell(&server, &pair, &pair.receipt(1)), b"");
    let report = tell(&server, &pair, &pair.report(1));
    let messages = ReportAnswer::parse(&report).unwrap();
    let sharekey_service::desk::Asked::Message(receipt) = pair.receipt(1) else { panic!() };
    assert!(messages.messages().any(|message| message == receipt));
}

#[test]
fn who_asks_too_often_is_turned_away_for_a_while() {
    let setup = Setup::new(None);
    write(&setup.key(), service_seed().expose());
    let server = setup.start_with("127.0.0.1:0", &["--limits", "2"]);
    // Twenty at once from an address, eight for a lock.
    let (pair, other) = (Pair::new(1), Pair::new(2));
    let grant = |pair: &Pair| ask(&server, "POST", &format!("/v1/locks/{}/slots/0/grants", pair.lock), &pair.grant());
    let refused: Vec<_> = (0..10).map(|_| grant(&pair)).filter(|response| response.status == 429).collect();
    assert!((1..=2).contains(&refused.len()), "{}", refused.len());
    assert_eq!(refused[0].code(), (429, "Http.TooMany".to_owned()));
    assert_eq!(refused[0].retry_after.as_deref(), Some("1"));
    assert_eq!(grant(&other).status, 409, "another lock has its own share");
    let by_address = (0..40).map(|_| ask(&server, "GET", "/v1/service", b"").status).filter(|status| *status == 429);
    assert!(by_address.count() > 10);
    assert_eq!(ask(&server, "GET", "/healthz", b"").status, 200, "whoever runs it is always answered");
}
