//! Compiled, an old statement of ownership would wipe what a record knows of a transfer.

use sharekey::crypto::Crypto;
use sharekey::error::ServiceError;
use sharekey::service::{LockRecord, Service};

fn replace(_record: &LockRecord) -> Result<(), ()> {
    Ok(())
}

fn new_record_in_place_of_another(service: &Service<impl Crypto>, statement: &[u8]) -> Result<(), ServiceError> {
    let _ = service.open(statement)?.put_new(replace); //~ E0631 replace
    Ok(())
}

fn main() {}
