//! A peer to play against: any roles of the protocol behind JSON lines on standard input and output.
//! `spec/vectors/README.md` says what can be asked.

use std::io::{BufRead, Write};

use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let mut peer = sharekey_peer::desk::Peer::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let reply = match serde_json::from_str::<Value>(&line) {
            Ok(request) => peer.handle(&request),
            Err(error) => json!({ "error": "Request", "about": error.to_string() }),
        };
        writeln!(out, "{reply}")?;
        out.flush()?;
    }
    Ok(())
}
