//! The lock: a board around the library's front door. Every call boots it from its flash.

mod any;
mod board;
mod commands;
mod firmware;
mod flash;
mod talk;

pub use self::any::SIZES;
pub use self::commands::run;
pub use self::firmware::Firmware;
pub use self::talk::SOMEBODY;
