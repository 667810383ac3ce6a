//! A scene: requests to a peer and its replies, as they stand in a file.

use serde_json::{Value, json};

use super::peer::desk::Peer;

/// A peer, and what it was asked so far. What a scene begins with may go unrecorded.
#[derive(Default)]
pub struct Scene {
    peer: Peer,
    steps: Option<Vec<Value>>,
}

impl Scene {
    /// A scene of which every step is kept.
    pub fn recorded() -> Self {
        Self { peer: Peer::default(), steps: Some(Vec::new()) }
    }

    fn step(&mut self, request: Value) -> Value {
        let reply = self.peer.handle(&request);
        assert_ne!(reply["error"], "Request", "{request}: {reply}");
        if let Some(steps) = &mut self.steps {
            steps.push(json!({ "request": request, "reply": reply }));
        }
        reply
    }

    /// A request that is granted.
    #[track_caller]
    pub fn ask(&mut self, request: Value) -> Value {
        let reply = self.step(request.clone());
        assert!(reply.get("ok").is_some(), "{request}: {reply}");
        reply["ok"].clone()
    }

    /// A request that fails, with this error.
    #[track_caller]
    pub fn refused(&mut self, request: Value, error: &str) -> Value {
        let reply = self.step(request.clone());
        assert_eq!(reply["error"], error, "{request}: {reply}");
        reply
    }

    /// What the last reply said of this name.
    pub fn seen(&self, name: &str) -> Value {
        let replies = self.steps.iter().flatten().rev();
        replies.map(|step| &step["reply"]["ok"][name]).find(|value| !value.is_null()).unwrap().clone()
    }

    /// The error of a request; `None` where it is granted.
    pub fn outcome(&mut self, request: Value) -> Option<String> {
        self.step(request)["error"].as_str().map(str::to_owned)
    }

    /// A granted request whose reply holds one text of this name.
    #[track_caller]
    pub fn text(&mut self, request: Value, name: &str) -> String {
        self.ask(request)[name].as_str().unwrap().to_owned()
    }

    /// The case that this scene was.
    pub fn case(self, name: &str, rule: &str) -> Value {
        json!({ "name": name, "rule": rule, "steps": self.steps.unwrap() })
    }
}
