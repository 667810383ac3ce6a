//! Compiled, an app would show a key as compared that nobody compared.

use sharekey::contacts::{Contact, Trust};

fn contact_verified_by_hand(contact: &mut Contact) {
    contact.trust = Trust::Verified; //~ E0616 trust
}

fn main() {}
