//! Files of the host.

use core::ffi::CStr;

use cortex_m_semihosting::{nr, syscall};

/// An open file; closed when dropped.
pub(super) struct File(usize);

impl File {
    pub(super) fn open_to_read(name: &CStr) -> Option<Self> {
        Self::open(name, nr::open::R_BINARY)
    }

    /// Opens a file that is there, to read it and to write into it.
    pub(super) fn open_to_change(name: &CStr) -> Option<Self> {
        Self::open(name, nr::open::RW_BINARY)
    }

    fn open(name: &CStr, mode: usize) -> Option<Self> {
        // SAFETY: SYS_OPEN reads `count_bytes` bytes and the zero after them.
        let handle = unsafe { syscall!(OPEN, name.as_ptr(), mode, name.count_bytes()) };
        (handle != usize::MAX).then_some(Self(handle))
    }

    /// Fills `into`; false where the file has less.
    pub(super) fn read(&self, into: &mut [u8]) -> bool {
        // SAFETY: SYS_READ writes at most `len` bytes there. It gives how many it did not fill.
        unsafe { syscall!(READ, self.0, into.as_mut_ptr(), into.len()) == 0 }
    }

    /// Writes at `position`. The host has the bytes when this returns, also if QEMU is killed then.
    pub(super) fn write_at(&self, position: usize, bytes: &[u8]) -> bool {
        // SAFETY: SYS_SEEK touches no memory.
        let sought = unsafe { syscall!(SEEK, self.0, position) };
        // SAFETY: SYS_WRITE reads `len` bytes there. It gives how many it did not write.
        sought == 0 && unsafe { syscall!(WRITE, self.0, bytes.as_ptr(), bytes.len()) } == 0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the handle is this file's, and is not used again.
        unsafe { syscall!(CLOSE, self.0) };
    }
}
