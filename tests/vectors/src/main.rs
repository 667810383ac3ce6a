//! Writes the test vectors, `spec/vectors/*.json`, and the dumps in `spec/protocol.md`, from the crate:
//! `cargo run -p sharekey-vectors`. The tests compare.

use sharekey_vectors::{dump, files, spec, text};

fn main() -> std::io::Result<()> {
    std::fs::create_dir_all(spec().join("vectors"))?;
    for (name, file) in files() {
        std::fs::write(spec().join("vectors").join(name), text::write(file))?;
    }
    let page = std::fs::read_to_string(spec().join("protocol.md"))?;
    std::fs::write(spec().join("protocol.md"), dump::rewritten(&page))
}
