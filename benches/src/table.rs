//! Tables in Markdown: to the terminal, and to a file in `SHAREKEY_BENCH_OUT` where `run.sh` asks for it.

use std::fmt::Write as _;
use std::{env, fs, path};

pub struct Table {
    title: String,
    text: String,
}

impl Table {
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let mut table = Self { title: title.to_owned(), text: String::new() };
        table.row(columns);
        table.text.push_str(&"|---".repeat(columns.len()));
        table.text.push_str("|\n");
        table
    }

    pub fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        cells.iter().for_each(|cell| write!(self.text, "| {} ", cell.as_ref()).unwrap());
        self.text.push_str("|\n");
    }

    /// Shows the table and files it under `name`.
    pub fn finish(self, name: &str) {
        println!("\n## {}\n\n{}", self.title, self.text);
        if let Some(folder) = env::var_os("SHAREKEY_BENCH_OUT") {
            fs::create_dir_all(&folder).unwrap();
            fs::write(path::Path::new(&folder).join(name).with_extension("md"), self.text).unwrap();
        }
    }
}

/// A time in the unit that it is read in.
pub fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ..10_000.0 => format!("{nanoseconds:.0} ns"),
        ..10_000_000.0 => format!("{:.1} µs", nanoseconds / 1e3),
        _ => format!("{:.1} ms", nanoseconds / 1e6),
    }
}
