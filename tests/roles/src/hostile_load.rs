//! A flood costs a lock and a service a bounded amount of work a message, changes nothing, and an honest party
//! gets through at the first quiet moment. What was counted is printed (`-- --nocapture`); nothing is timed.

mod door;
mod lock;
mod service;
