//! Writes the test vectors, `spec/vectors/*.json`, how many they are in `spec/vectors/README.md`, the dumps and what is
//! said of errors in `spec/protocol.md`, and `docs/errors.md`, from the crate: `cargo run -p sharekey-vectors`. The tests compare.

use sharekey_vectors::{counted, dump, errors, files, spec, text};

fn main() -> std::io::Result<()> {
    std::fs::create_dir_all(spec().join("vectors"))?;
    for (name, file) in files() {
        std::fs::write(spec().join("vectors").join(name), text::write(file))?;
    }
    let readme = spec().join("vectors/README.md");
    std::fs::write(&readme, counted(&std::fs::read_to_string(&readme)?))?;
    let page = std::fs::read_to_string(spec().join("protocol.md"))?;
    std::fs::write(spec().join("protocol.md"), errors::rewritten(&dump::rewritten(&page)))?;
    std::fs::write(spec().join("../docs/errors.md"), errors::page())
}
