//! The rules of owner, guest, service, contacts, codes, forms and providers, each broken alone; whole flows with real keys;
//! and what an attacker tries who owns every channel. One file a question.
#![cfg(test)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod advice;
mod allocations;
mod attacks;
mod authenticators;
mod contacts;
mod counting;
mod flows;
mod forms;
mod guest;
mod hostile_load;
mod invariants;
mod limits;
mod links;
mod outbox;
mod owner;
mod owner_orders;
mod owner_stored;
mod owner_told;
mod owner_view;
mod pages;
mod pinned;
mod providers;
mod providers_agree;
mod redaction;
mod reports;
mod reports_kept;
mod requirements;
mod ring;
mod sealed;
mod service;
mod service_places;
mod service_proofs;
mod service_rows;
mod service_stored;
mod service_take;
mod share_code;
mod slot_histories;
mod slot_line;
mod slot_observer;
mod staged;
mod strict_keys;
mod told;
mod transitions;
mod wire;
mod words;
