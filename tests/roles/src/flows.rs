//! Every flow of the story, with the real roles and real keys, message by message.

mod limits;
mod owning;
mod races;
mod sharing;
mod story;
