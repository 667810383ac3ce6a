//! Whom to blame, and what leads out.

use core::fmt::{self, Debug, Display};

use serde::{Deserialize, Serialize};

/// What an app can ask of every error of this library, to branch on it, show it and log it. Each type of errors has
/// `all()` besides: every error of that type with every cause, for an app to see that it has words for each code.
///
/// ```
/// use sharekey::error::{Blame, Fault, LockError, Retry, SignatureError};
///
/// let error = LockError::GrantSignature(SignatureError::Mismatch);
/// assert_eq!(error.name(), "Lock.GrantSignature.Mismatch");
/// assert_eq!(error.to_string(), "grant: the signature does not match");
/// assert_eq!((error.fault(), error.retry()), (Fault::Owner, Retry::FetchGrant));
/// println!("{}: {error}. Fault: {}. What to do: {}.", error.name(), error.fault(), error.retry());
/// ```
pub trait Blame: Debug + Display {
    /// The code: first the role or part that the error is of, then the check, then its cause, with dots between. A
    /// code is stable: it is never given to another error, and goes only with a new major version. The table of all is
    /// `docs/errors.md`.
    fn name(&self) -> &'static str;

    /// Whose fault it is.
    fn fault(&self) -> Fault;

    /// What to do, said to whoever asked for what failed.
    fn retry(&self) -> Retry;
}

/// Declares an enum whose variants have words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $( $(#[$doc:meta])* $variant:ident = $words:literal, )* }) => {
        $(#[$meta])*
        ///
        /// It shows as words of English; where it is stored or sent in a form that people read, it is its name.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $name { $( #[doc = concat!("“", $words, "”")] #[doc = ""] $(#[$doc])* $variant, )* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[ $( Self::$variant, )* ];
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $( Self::$variant => $words, )* })
            }
        }
    };
}

words! {
    /// Whose side has to change something.
    Fault {
        /// The owner's app, or what the owner decided.
        Owner = "the owner",
        /// The guest's app, or what the guest asked for.
        Guest = "the guest",
        /// The service.
        Service = "the service",
        /// The lock or its firmware.
        Lock = "the lock",
        /// Whatever carries the messages, or somebody who tampers with them.
        Transport = "whatever carried the message",
        /// Whoever called: its own input, store or crypto provider.
        Caller = "this program or its storage",
    }
}

words! {
    /// What to do next.
    Retry {
        /// The same request will never succeed, and nothing that this side could do makes it so.
        Never = "nothing helps",
        /// What was asked for is so already. Go on.
        Already = "nothing: it is so already",
        /// What is wrong looks like damage on the way. Where the same comes again, somebody tampers, or the sender is
        /// wrong; an answer that is lost for good is asked for by a new challenge.
        Resend = "get the message again, unaltered",
        /// Of the lock that the request is for. Where the same comes again: a guest asks the owner, and an owner
        /// inspects the slot, or takes over a lock that may have been transferred. Drop no key for it: anybody could
        /// have sent a refusal without a reason.
        NewChallenge = "ask the lock for a new challenge, and answer that",
        /// The owner's SetClock, or whatever else sets the lock's clock.
        SetClock = "have the lock's clock set, and try again",
        /// Also where the lock's clock was wrong, once it is right.
        WithinLimits = "try again when the key's limits allow it",
        /// The claim is of a grant that is not shared any more. Where the service has no other yet, the owner has to
        /// share anew.
        FetchGrant = "drop the claim, fetch the grant again, and claim that",
        /// To share anew, to activate the slot, to provision or to transfer the lock: something that this side cannot.
        AskOwner = "ask the owner, who has to act first",
        /// `Order::Activate`, and tell the service of its Done.
        Activate = "activate the slot at the lock",
        /// `Owner::withdraw`, then `Owner::ask` for a report of the service.
        Withdraw = "take the share back, take in the service's report, and share again",
        /// `Order::Inspect`, and tell the service of its Done. Where that changes nothing, an
        /// Activate ends every key of the slot.
        Inspect = "inspect the slot at the lock, and try again",
        /// `Order::Transfer`, to oneself if need be: every slot begins anew. Where the answer to one was lost,
        /// `Owner::take_over`.
        TakeOver = "transfer the lock, to yourself if need be",
        /// A factory reset, by a hand inside; after it the lock is provisioned as a new one. Restart the lock first:
        /// what was not readable may be.
        FactoryReset = "restart the lock; where that does not help, reset it",
        /// Ask the contact, over a channel that the service is no part of; then `ContactBook::verify`, and for a changed
        /// key `ContactBook::accept_changed_key` before it.
        CompareKeys = "compare the key with the contact; then accept it, and verify the contact",
        /// The last Provisioned, Done or Receipt of the lock that the service does not know of yet.
        TellService = "bring the service what the lock said last, and try again",
        /// The record or the report is not the newest.
        Refresh = "read the record again, and decide again",
        /// Once the pending write is through, or can take effect no more.
        Reload = "have the lock read its record again, and try again",
        /// A boot does it.
        Make = "make the lock anew",
        /// What was given is wrong: a mistyped text, a key that is none, a message for another lock or slot.
        OtherInput = "give another input, this one is wrong",
        /// One side speaks a newer version of the protocol.
        Update = "update the older of the two programs",
        /// Nothing is wrong with the request.
        Later = "try again later",
    }
}
