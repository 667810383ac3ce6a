//! Compiled, the key of a verified contact could be changed, and the contact stay verified.

use sharekey::contacts::{Contact, ContactBook};
use sharekey::id::AccountId;

fn contact_swapped<'b>(book: &'b mut ContactBook, ana: &AccountId) -> Option<&'b mut Contact> {
    book.get(ana) //~ E0308
}

fn main() {}
