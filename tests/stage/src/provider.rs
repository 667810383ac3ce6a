//! The provider that the cast uses: ring unless it is not built, then `RustCrypto`. Without either, the symbolic one,
//! under which Miri can go the wider paths.

#[cfg(feature = "ring")]
pub use sharekey::crypto::Ring as Provider;
#[cfg(all(feature = "rustcrypto", not(feature = "ring")))]
pub use sharekey::crypto::RustCrypto as Provider;
#[cfg(not(any(feature = "ring", feature = "rustcrypto")))]
pub use sharekey_model::symbolic::Symbolic as Provider;

/// A provider that is made from nothing, for what runs under any of them.
pub trait Plain: sharekey::crypto::Crypto + Copy + Default + 'static {}
impl<C: sharekey::crypto::Crypto + Copy + Default + 'static> Plain for C {}
