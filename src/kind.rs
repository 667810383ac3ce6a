//! Which kinds of messages there are.

/// What a message is: the fourth byte of its header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// [`Grant`](crate::message::Grant)
    Grant,
    /// [`Withdraw`](crate::message::Withdraw)
    Withdraw,
    /// [`Withdrawn`](crate::message::Withdrawn)
    Withdrawn,
    /// [`Claim`](crate::message::Claim)
    Claim,
    /// [`Challenge`](crate::message::Challenge)
    Challenge,
    /// [`Install`](crate::message::Install)
    Install,
    /// [`Release`](crate::message::Release)
    Release,
    /// [`Receipt`](crate::message::Receipt)
    Receipt,
    /// [`Bundle`](crate::message::Bundle)
    Bundle,
    /// [`Unlock`](crate::message::Unlock)
    Unlock,
    /// [`Reply`](crate::message::Reply)
    Reply,
    /// [`Command`](crate::message::Command)
    Command,
    /// [`Done`](crate::message::Done)
    Done,
    /// [`Refused`](crate::message::Refused)
    Refused,
    /// [`Provision`](crate::message::Provision)
    Provision,
    /// [`Provisioned`](crate::message::Provisioned)
    Provisioned,
    /// [`FactoryReset`](crate::message::FactoryReset)
    FactoryReset,
    /// [`Connect`](crate::message::Connect)
    Connect,
    /// [`ReportRequest`](crate::message::ReportRequest)
    ReportRequest,
    /// [`Report`](crate::message::Report)
    Report,
    /// [`FindRequest`](crate::message::FindRequest)
    FindRequest,
}

impl Kind {
    /// Every kind that this version defines. 32 and 33 are reserved for the audit log.
    pub const ALL: [Self; 21] = [
        Self::Grant,
        Self::Withdraw,
        Self::Withdrawn,
        Self::Claim,
        Self::Challenge,
        Self::Install,
        Self::Release,
        Self::Receipt,
        Self::Bundle,
        Self::Unlock,
        Self::Reply,
        Self::Command,
        Self::Done,
        Self::Refused,
        Self::Provision,
        Self::Provisioned,
        Self::FactoryReset,
        Self::Connect,
        Self::ReportRequest,
        Self::Report,
        Self::FindRequest,
    ];

    /// The kind's byte on the wire.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Grant => 1,
            Self::Withdraw => 2,
            Self::Withdrawn => 3,
            Self::Claim => 4,
            Self::Challenge => 5,
            Self::Install => 6,
            Self::Release => 7,
            Self::Receipt => 8,
            Self::Bundle => 9,
            Self::Unlock => 10,
            Self::Reply => 11,
            Self::Command => 12,
            Self::Done => 13,
            Self::Refused => 14,
            Self::Provision => 15,
            Self::Provisioned => 16,
            Self::FactoryReset => 17,
            Self::Connect => 18,
            Self::ReportRequest => 19,
            Self::Report => 20,
            Self::FindRequest => 21,
        }
    }
}
