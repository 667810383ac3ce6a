//! The provider that the tests run under: ring unless it is not built, then `RustCrypto`. Without
//! either, the symbolic one, under which Miri can go the wider paths.

#[cfg(feature = "ring")]
pub use sharekey::crypto::Ring as Provider;
#[cfg(all(feature = "rustcrypto", not(feature = "ring")))]
pub use sharekey::crypto::RustCrypto as Provider;
#[cfg(not(any(feature = "ring", feature = "rustcrypto")))]
pub use sharekey::model::symbolic::Symbolic as Provider;
