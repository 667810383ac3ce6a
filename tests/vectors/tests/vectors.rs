//! Are the committed test vectors what the crate makes, and does the crate, used as another program
//! would use it, say of each what the file says? Are the dumps in the text those bytes?
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use serde_json::Value;
use sharekey_stage::errors::every;
use sharekey_stage::ops::Op;
use sharekey_vectors::{check, dump, errors, files, named, spec, tables};

fn text(name: &str) -> String {
    let path = spec().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A committed file.
fn committed(name: &str) -> Value {
    serde_json::from_str(&text(&format!("vectors/{name}"))).unwrap()
}

fn cases(name: &str) -> Vec<Value> {
    committed(name)["cases"].as_array().unwrap().clone()
}

const AGAIN: &str = "run `cargo run -p sharekey-vectors`";

#[test]
fn the_files_are_what_the_crate_makes() {
    for (name, file) in files() {
        let made = sharekey_vectors::text::write(file);
        // Not `assert_eq`: nobody reads half a megabyte of difference.
        assert!(made == text(&format!("vectors/{name}")), "{name} differs: {AGAIN}");
    }
}

#[test]
fn there_is_no_other_file() {
    let made: BTreeSet<String> = files().iter().map(|(name, _)| (*name).to_owned()).collect();
    let entries = std::fs::read_dir(spec().join("vectors")).unwrap();
    let found = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<String> = found.filter(|name| name.ends_with(".json") && name != "schema.json").collect();
    assert_eq!(found, made);
}

#[test]
fn the_page_states_the_number_of_cases_of_each_file() {
    let page = text("vectors/README.md");
    for (name, _) in files() {
        let file = committed(name);
        let number = file["cases"].as_array().unwrap().len();
        assert_eq!(file["number_of_cases"], number, "{name}");
        let row = page.lines().find(|line| line.starts_with(&format!("| [{name}]({name}) |")));
        let row = row.unwrap_or_else(|| panic!("the page has no row for {name}"));
        assert_eq!(row.split('|').nth(2).unwrap().trim(), number.to_string(), "{name}");
    }
}

#[test]
fn every_rule_that_a_case_names_stands_in_the_spec() {
    let text = text("protocol.md");
    for (name, _) in files() {
        for case in cases(name) {
            if let Some(rule) = case["rule"].as_str() {
                assert!(text.contains(&format!("\n{rule}. ")), "{name}: {rule}");
            }
        }
    }
}

#[test]
fn every_error_that_a_case_gives_has_its_name_in_the_spec() {
    let text = text("protocol.md");
    let names = text.split("### Names of errors").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut errors = BTreeSet::new();
    for (name, _) in files() {
        check::errors(&committed(name), &mut errors);
    }
    for error in errors {
        for part in error.split('.') {
            assert!(names.contains(&format!("`{part}`")), "{error}: the spec does not name {part}");
        }
    }
}

#[test]
fn every_error_that_the_spec_names_has_a_case_or_a_reason_why_not() {
    let mut found = BTreeSet::new();
    for (name, _) in files() {
        named::given(name, &committed(name), &mut found);
    }
    let missing = named::in_spec(&text("protocol.md")).into_iter().filter(|error| !named::is_given(error, &found));
    let listed = named::listed(&text("vectors/README.md"));
    assert_eq!(missing.collect::<BTreeSet<_>>(), listed, "the list in spec/vectors/README.md is another");
}

#[test]
fn the_tables_in_the_text_are_the_layouts_of_the_messages() {
    let text = text("protocol.md");
    tables::check(&text);
    // It notices a number, a name and a tag.
    for (told, otherwise) in
        [("| 38 | 16 | tag |", "| 38 | 17 | tag |"), ("| lock nonce |", "| nonce |"), ("| 5 | Act |", "| 6 | Act |")]
    {
        let otherwise = text.replacen(told, otherwise, 1);
        assert!(otherwise != text && std::panic::catch_unwind(|| tables::check(&otherwise)).is_err(), "{told}");
    }
}

#[test]
fn the_text_and_the_page_of_errors_say_what_the_library_says() {
    assert!(errors::rewritten(&text("protocol.md")) == text("protocol.md"), "whose fault, or what to do: {AGAIN}");
    assert!(errors::page() == text("../docs/errors.md"), "docs/errors.md: {AGAIN}");
    // The check itself: another word in the text is put right.
    for (word, other) in [
        ("`LetterU` | guest |", "`LetterU` | owner |"),
        ("`Trailing` | transport | Resend |", "`Trailing` | transport | Later |"),
    ] {
        let planted = text("protocol.md").replacen(word, other, 1);
        assert!(planted != text("protocol.md") && errors::rewritten(&planted) == text("protocol.md"), "{other}");
    }
}

#[test]
fn each_code_is_one_errors_alone_and_is_written_as_codes_are() {
    let tables = every();
    let codes: Vec<&str> = tables.iter().flat_map(|(_, rows)| rows).map(|row| row.code).collect();
    let distinct: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(distinct.len(), codes.len());
    for code in codes {
        let part =
            |part: &str| part.starts_with(|c: char| c.is_ascii_uppercase()) && part.chars().all(char::is_alphanumeric);
        assert!(code.contains('.') && code.split('.').all(part), "{code}");
    }
    // No type of errors is left out.
    let of_the_library = std::fs::read_dir(spec().join("../src/error")).unwrap();
    let declared = of_the_library.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let declared: usize =
        declared.map(|file| file.lines().filter(|line| DECLARES.iter().any(|by| line.starts_with(by))).count()).sum();
    assert_eq!(tables.len(), declared);
}

/// What a declaration of a type of errors begins with.
const DECLARES: [&str; 4] =
    ["errors! { {$}", "lock_errors! { {$}", "reasons! { {$}", "impl<E: Debug + Display> Blame for"];

#[test]
fn the_dumps_in_the_text_are_the_bytes_of_the_cases() {
    let text = text("protocol.md");
    let cases = cases("messages.json");
    let dumps = dump::in_text(&text);
    for (name, bytes) in &dumps {
        let case = cases.iter().find(|case| case["name"] == **name).unwrap_or_else(|| panic!("no case {name}"));
        assert_eq!(case["bytes"], sharekey_peer::form::hex(bytes), "{name}");
    }
    let kinds: BTreeSet<&str> = dumps.iter().map(|(name, _)| name.split(':').next().unwrap()).collect();
    assert_eq!(kinds.len(), sharekey::wire::Kind::ALL.len(), "each kind has its dump");
    assert!(dump::rewritten(&text) == text, "offsets or labels of a dump differ: {AGAIN}");
}

/// A worked example is a fence behind the words "the case `NAME` of [FILE]", with a field a line.
#[test]
fn the_worked_numbers_in_the_text_are_those_of_the_cases() {
    let text = text("protocol.md");
    let cases = cases("derivations.json");
    for (name, fields) in [("pairing key 0", 7), ("lock keys 0", 6)] {
        let case = cases.iter().find(|case| case["name"] == name).unwrap();
        let behind = text.split(&format!("the case `{name}` of [derivations.json]")).nth(1).unwrap();
        let lines = behind.split("```text\n").nth(1).unwrap().lines().take_while(|line| *line != "```");
        let shown = lines.map(|line| line.split_once(' ').unwrap()).inspect(|(field, hex)| {
            assert_eq!(case[*field], hex.trim(), "{name}: {field}");
        });
        assert_eq!(shown.count(), fields, "{name}");
    }
    let example = text.split("the case `issue 0` of [codes.json]").nth(1).unwrap();
    let issued = &self::cases("codes.json").into_iter().find(|case| case["name"] == "issue 0").unwrap();
    for value in [&issued["code"], &issued["entropy"][0]["hex"]] {
        assert!(example.contains(value.as_str().unwrap()), "{value}");
    }
}

#[test]
fn each_message_is_read_as_its_fields() {
    let file = committed("messages.json");
    file["cases"].as_array().unwrap().iter().for_each(|case| check::message(case, &file["keys"]));
}

#[test]
fn what_is_no_message_is_refused_as_the_file_says() {
    cases("decode_errors.json").iter().for_each(check::decode_error);
}

#[test]
fn share_codes_are_read_as_the_file_says() {
    cases("codes.json").iter().for_each(check::code);
}

#[test]
fn contacts_and_typed_fingerprints_are_taken_as_the_file_says() {
    cases("contacts.json").iter().for_each(check::contact);
}

#[test]
fn keys_and_signatures_are_judged_as_the_file_says() {
    cases("keys.json").iter().for_each(check::strict);
}

#[test]
fn derivations_come_out_as_the_file_says() {
    cases("derivations.json").iter().for_each(check::derivation);
}

#[test]
fn every_run_gives_the_same_replies_again() {
    for name in check::RUNS {
        cases(name).iter().for_each(|case| check::replay(name, case));
    }
}

#[test]
fn every_operation_of_a_lock_is_carried_out_in_some_run() {
    let mut done = BTreeSet::new();
    for case in check::RUNS.into_iter().flat_map(cases) {
        done.extend(case["steps"].as_array().unwrap().iter().filter_map(check::carried_out));
    }
    assert_eq!(done, BTreeSet::from(Op::ALL));
}
