//! Writes the test vectors, `spec/vectors/*.json`, from the crate. `tests/vectors.rs` compares.

#[path = "vectors/all.rs"]
mod all;

fn main() -> std::io::Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("spec/vectors");
    std::fs::create_dir_all(&folder)?;
    for (name, file) in all::files() {
        std::fs::write(folder.join(name), all::text::write(&file))?;
    }
    Ok(())
}
