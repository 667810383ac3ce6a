//! Compiled, a flash could be given records that no operation of the lock decided.

use sharekey::lock::{Cell, Record};

fn record_by_hand(mut record: Record) -> Record {
    record.cell = Cell::Header; //~ E0616 cell
    record
}

fn main() {}
