//! `door wire show N`

use super::explain::Explain;
use crate::home::Home;

pub fn show(home: &Home, number: u32) -> anyhow::Result<()> {
    let entry = home.wire().entry(number)?;
    let bytes = entry.read()?;
    println!("message {number}: {} from {} to {}, {} bytes", entry.kind, entry.from, entry.to, bytes.len());
    let fields = Explain::gather(home)?.fields(&bytes);
    let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, value) in fields {
        println!("  {name:width$}  {value}");
    }
    Ok(())
}
