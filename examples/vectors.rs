//! Writes the test vectors, `spec/vectors/*.json`, and the dumps in `spec/protocol.md`, from the crate.
//! `tests/vectors.rs` compares.

#[path = "vectors/all.rs"]
mod all;
#[path = "../tests/provider/mod.rs"]
mod provider;

use provider::Provider;

fn main() -> std::io::Result<()> {
    let spec = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("spec");
    std::fs::create_dir_all(spec.join("vectors"))?;
    for (name, file) in all::files() {
        std::fs::write(spec.join("vectors").join(name), all::text::write(file))?;
    }
    let text = std::fs::read_to_string(spec.join("protocol.md"))?;
    std::fs::write(spec.join("protocol.md"), all::dump::rewritten(&text))
}
