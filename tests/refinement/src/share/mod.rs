//! The real service record and the real phones in step with their models.

mod bytes;
mod cloud;
mod generate;
pub mod machine;
pub mod steps;

pub use self::cloud::Cloud;
pub use self::machine::Machine;
