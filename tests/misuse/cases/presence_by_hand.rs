//! Compiled, a firmware could do without the button, and a photo of the card would be a backdoor.

use sharekey::lock::PhysicalPresence;

fn presence_by_hand() -> PhysicalPresence {
    PhysicalPresence(()) //~ E0423 PhysicalPresence
}

fn main() {}
