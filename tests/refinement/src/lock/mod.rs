//! The real lock in step with its model.

mod bytes;
mod door;
mod ending;
mod generate;
pub mod machine;
mod output;
pub mod send;
pub mod steps;

pub use self::door::Door;
pub use self::generate::schedule_at;
pub use self::machine::Machine;
