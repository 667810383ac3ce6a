//! Compiled, a service could set back a version, and release again what was withdrawn.

use sharekey::service::ShareRecord;

fn share_record_by_hand(mut record: ShareRecord, version: u64) -> ShareRecord {
    record.version = version; //~ E0615 version
    record
}

fn main() {}
