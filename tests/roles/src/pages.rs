//! Is each row of the page on recovery played by a test?

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The Rust sources under a folder, as one text.
fn sources(folder: &std::path::Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.extension().and_then(|ext| ext.to_str()) {
            _ if path.is_dir() => sources(&path),
            Some("rs") => std::fs::read_to_string(&path).unwrap(),
            _ => String::new(),
        })
        .collect()
}

/// Rows whose last cell names no test of these sources.
fn unplayed(page: &str, sources: &str) -> Vec<String> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what happened"));
    let name = |row: &str| row.trim_end_matches(" |").rsplit("| ").next().unwrap().trim_matches('`').to_owned();
    rows.map(name).filter(|name| !sources.contains(&format!("#[test]\nfn {name}() {{"))).collect()
}

#[test]
fn each_row_of_the_page_on_recovery_is_played_by_the_test_that_it_names() {
    let tests = ["tests/lock/src", "tests/roles/src"]
        .map(|folder| sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder)));
    let (page, tests) = (read("docs/recovery.md"), tests.concat());
    assert_eq!(unplayed(&page, &tests), [""; 0]);
    assert!(page.matches("\n| ").count() > 30);
    assert_eq!(
        unplayed("| what happened | x |\n|---|---|\n| rain | `nobody_plays_this` |\n", &tests),
        ["nobody_plays_this"]
    );
}
