//! Compiled, a service would tell an owner that a grant is shared which it refused.
#![deny(unused_must_use)]

use sharekey::crypto::Crypto;
use sharekey::error::ServiceError;
use sharekey::service::{Service, ShareRecord};

fn put(_record: &ShareRecord) -> Result<(), ServiceError> {
    Ok(())
}

fn taken_dropped(
    service: &Service<impl Crypto>,
    record: &mut ShareRecord,
    grant: &[u8],
) -> Result<(), ServiceError> {
    service.take(record, grant)?.commit(put)?; //~ unused_must_use
    Ok(())
}

fn main() {}
