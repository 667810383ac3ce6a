//! Was the library built as this package asks for it, with its feature `alloc` or as a microcontroller has it? The features
//! of one build add up: a dependency could bring the allocator back, and the other tests would show less than they say.

#![allow(dead_code, reason = "either the library's or what stands in for it is named")]

use core::any::type_name;

/// Stand in for modules of the library. A glob inside a function hides them, where the library has the module.
mod owner {
    pub(crate) struct Method;
}
mod lock {
    pub(crate) struct Cell;
}
mod nowhere {
    pub(crate) struct Thing;
}

/// Whether these are the library's: one that needs `alloc`, one that is always there, one that never is.
fn in_library() -> [bool; 3] {
    use sharekey::*;
    [type_name::<owner::Method>(), type_name::<lock::Cell>(), type_name::<nowhere::Thing>()]
        .map(|name| name.starts_with("sharekey::"))
}

/// `cargo test -p sharekey-lock-rules --no-default-features --features rustcrypto,sharekey/alloc` has to fail here.
#[test]
fn the_library_has_an_allocator_exactly_where_this_package_asks_for_one() {
    assert_eq!(in_library(), [cfg!(feature = "alloc"), true, false]);
}
