//! Every command on the page `README.md` runs, in order, and prints what the page says.

use tempfile::TempDir;

#[test]
fn the_page_says_what_the_program_does() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("home");
    trycmd::TestCases::new()
        .env("DOOR_HOME", folder.to_str().unwrap())
        .env("DOOR_ENTROPY", "1")
        .case("README.md")
        .run();
}
