use super::line::Line;
use super::state::GrantRef;
use crate::error::SlotError;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Recorder {}
    impl Sealed for super::Observer {}
}

/// Who keeps the state, and so what it can know: [`Recorder`] or [`Observer`].
pub trait Witness: sealed::Sealed + core::fmt::Debug {
    /// Whether a grant counts among the keys that may open from the moment it is signed, not only
    /// once it is released.
    const SIGNED_MAY_OPEN: bool;
}

/// The service's record. It decides every release, so it knows which grants were released.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recorder {}

/// The owner's view. Releases happen elsewhere: whatever the owner signed may have been released,
/// until a withdrawal's answer or something that the lock signed says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Observer {}

impl Witness for Recorder {
    const SIGNED_MAY_OPEN: bool = false;
}

impl Witness for Observer {
    const SIGNED_MAY_OPEN: bool = true;
}

/// Notes a grant that went out.
pub(super) fn signed<W: Witness>(line: &mut Line, key: GrantRef) -> Result<(), SlotError> {
    //= spec/protocol.md#owner
    //# OWN-14. The owner's view MUST count a grant as live from its signing until a Withdrawn of NeverReleased, a Done or a receipt says otherwise.
    if W::SIGNED_MAY_OPEN { line.live.note(key, None) } else { Ok(()) }
}
