//! Nothing is marked, so that nothing would be asked of the compiler.

fn not_marked(word: &str) -> u32 {
    word
}

fn main() {}
