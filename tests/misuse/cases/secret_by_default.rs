//! Compiled, a secret that was forgotten would be one that everybody knows.

use sharekey::secret::Seed;

fn secret_by_default() -> Seed {
    Default::default() //~ E0277
}

fn main() {}
