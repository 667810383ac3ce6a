//! Compiled, an old statement of ownership would wipe what a record knows of withdrawals.

use sharekey::crypto::Crypto;
use sharekey::error::ServiceError;
use sharekey::id::SlotId;
use sharekey::service::{Service, ShareRecord};

fn replace(_record: &ShareRecord) -> Result<(), ()> {
    Ok(())
}

fn new_record_in_place_of_another(service: &Service<impl Crypto>, statement: &[u8]) -> Result<(), ServiceError> {
    let _ = service.open(statement, SlotId::new(0))?.put_new(replace); //~ E0631 replace
    Ok(())
}

fn main() {}
