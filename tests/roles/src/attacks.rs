//! What an attacker tries who owns every channel: replay, relabel, redirect, hoard, collude, cut the
//! power. Each test names the check that stops it, and that nothing changed.

mod cross;
mod door;
mod generations;
mod labels;
mod records;
mod releases;
mod replay;
mod replay_answers;
mod service;
mod writes;

use sharekey::error::SignatureError;

const MISMATCH: SignatureError = SignatureError::Mismatch;
