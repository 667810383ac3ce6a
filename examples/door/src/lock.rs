//! The lock: firmware around the library's lock role. Every call boots it from its flash.

mod any;
mod commands;
mod firmware;
mod flash;
mod talk;

pub use self::any::{Request, SIZES};
pub use self::commands::run;
pub use self::firmware::Firmware;
pub use self::talk::SOMEBODY;
