//! Markers, what the compiler says, and where they differ.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// What a marker asks for, or what the compiler says.
pub struct Mistake {
    code: String,
    /// 0 when the compiler names no line of the case.
    line: usize,
    underlined: String,
}

impl Mistake {
    /// Compilers underline a little more or less of the same.
    fn meets(&self, other: &Self) -> bool {
        let [ours, theirs] = [&self.underlined, &other.underlined];
        let same = ours.contains(theirs.as_str()) || theirs.contains(ours.as_str());
        self.code == other.code && self.line == other.line && same
    }

    fn said(code: &str, place: Option<&Value>) -> Self {
        let number = |of: &Value| usize::try_from(of.as_u64().unwrap()).unwrap();
        let (line, underlined) = place.map_or((0, String::new()), |span| {
            let first = &span["text"][0];
            let [start, end] = ["highlight_start", "highlight_end"].map(|name| number(&first[name]));
            let characters = first["text"].as_str().unwrap().chars();
            (
                number(&span["line_start"]),
                characters.take(end.saturating_sub(1)).skip(start.saturating_sub(1)).collect(),
            )
        });
        Self { code: code.to_owned(), line, underlined }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in line {} at `{}`", self.code, self.line, self.underlined)
    }
}

/// What a case asks for.
fn markers(source: &str) -> Vec<Mistake> {
    let marked = (1..).zip(source.lines()).filter_map(|(line, text)| Some((line, text.split_once("//~")?)));
    let mistakes = marked.map(|(line, (text, marker))| {
        let (code, underlined) = marker.trim().split_once(' ').unwrap_or((marker.trim(), text.trim()));
        Mistake { code: code.to_owned(), line, underlined: underlined.to_owned() }
    });
    mistakes.collect()
}

/// What became of a case.
#[derive(Default)]
pub struct Outcome {
    pub compiled: bool,
    pub mistakes: Vec<Mistake>,
    /// In the compiler's words, for whoever reads a failure.
    pub words: String,
}

impl Outcome {
    fn hear(&mut self, message: &Value, file: &str) {
        let spans = message["spans"].as_array().unwrap();
        let place = spans.iter().find(|span| span["is_primary"] == true && span["file_name"] == file);
        match (message["level"].as_str().unwrap(), self.mistakes.last_mut()) {
            // Without a place even in other files it counts the errors, or is the linker's.
            ("error", _) if !spans.is_empty() => {
                self.mistakes.push(Mistake::said(message["code"]["code"].as_str().unwrap_or("no code"), place));
            }
            // An error in the library is followed by where the case made the compiler go there.
            ("note", Some(last)) if last.line == 0 => *last = Mistake::said(&last.code, place),
            _ => return,
        }
        self.words.push_str(message["rendered"].as_str().unwrap());
    }
}

/// What cargo reports, by the file of the case.
pub fn outcomes(report: &str) -> BTreeMap<String, Outcome> {
    let mut outcomes = BTreeMap::<String, Outcome>::new();
    for message in report.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let Some(file) = message["target"]["src_path"].as_str() else { continue };
        let outcome = outcomes.entry(file.to_owned()).or_default();
        match message["reason"].as_str().unwrap() {
            "compiler-artifact" => outcome.compiled = true,
            "compiler-message" => outcome.hear(&message["message"], file),
            _ => {}
        }
    }
    outcomes
}

/// Where a case and what became of it differ.
pub fn differences(source: &str, outcome: Option<&Outcome>) -> Vec<String> {
    let wanted = markers(source);
    let found = match outcome {
        None => return vec!["cargo did not come to it".to_owned()],
        Some(outcome) if outcome.compiled => return vec!["compiles".to_owned()],
        Some(_) if wanted.is_empty() => return vec!["nothing is marked".to_owned()],
        Some(outcome) => &outcome.mistakes,
    };
    let missing = wanted.iter().filter(|marker| !found.iter().any(|mistake| mistake.meets(marker)));
    let further = found.iter().filter(|mistake| !wanted.iter().any(|marker| marker.meets(mistake)));
    missing.map(|marker| format!("no {marker}")).chain(further.map(|mistake| format!("also {mistake}"))).collect()
}

/// What no case can be made to do on purpose.
#[test]
fn an_error_without_code_or_place_counts_and_a_case_not_reached_has_not_failed() {
    let said = |level: &str, code: &str, file: &str| {
        let text = r#"[{"text":"slot","highlight_start":1,"highlight_end":5}]"#;
        let span = format!(r#"{{"is_primary":true,"file_name":"{file}","line_start":1,"text":{text}}}"#);
        let spans = if file.is_empty() { String::new() } else { span };
        let message = format!(r#"{{"level":"{level}","code":{code},"rendered":"","spans":[{spans}]}}"#);
        format!(r#"{{"reason":"compiler-message","target":{{"src_path":"case"}},"message":{message}}}"#) + "\n"
    };
    let compared = |report: &str| differences("slot //~ E0080", outcomes(report).get("case")).join("; ");
    let [missing, code] = ["no E0080 in line 1 at `slot`", r#"{"code":"E0080"}"#];
    let [error, uncoded] = [said("error", code, "case"), said("error", "null", "case")];
    assert_eq!(compared(&error), "");
    assert_eq!(compared(""), "cargo did not come to it");
    assert_eq!(compared(&said("warning", code, "case")), missing);
    assert_eq!(compared(&said("error", "null", "")), missing);
    assert_eq!(compared(&(error + &uncoded)), "also no code in line 1 at `slot`");
    let elsewhere = said("error", code, "library");
    assert_eq!(compared(&elsewhere), format!("{missing}; also E0080 in line 0 at ``"));
    assert_eq!(compared(&(elsewhere + &said("note", "null", "library") + &said("note", "null", "case"))), "");
}
