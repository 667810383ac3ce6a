//! Requests, whatever they ask for: no form of one but its own is taken, and no bit of one can be another.

use sharekey::error::LockError;
use sharekey::message::{Bundle, Command, FactoryReset, Provision, Unlock};
use sharekey::wire::Message;
use sharekey_stage::bad;
use sharekey_stage::firmware::Forget;
use sharekey_stage::ops::{Op, To};
use sharekey_stage::ready::Ready;

const fn longest(to: To) -> usize {
    match to {
        To::Install => Bundle::MAX_LEN,
        To::Unlock => Unlock::MAX_LEN,
        To::Command => Command::MAX_LEN,
        To::Provision => Provision::MAX_LEN,
        To::Reset => FactoryReset::MAX_LEN,
    }
}

/// The parts of a bundle have forms of their own: `lock_install` has them.
//= spec/protocol.md#unlock
//# UNL-1. The unlock MUST decode.
//= spec/protocol.md#commands
//# CMD-1. The command MUST decode.
//= spec/protocol.md#provisioning
//# PRV-1. The Provision MUST decode.
//= spec/protocol.md#factory-reset
//# RST-1. The FactoryReset MUST decode.
#[test]
fn a_malformed_request_is_refused_and_the_next_one_goes_on() {
    for op in Op::requests().filter(|op| *op != Op::Install) {
        let mut ready = Ready::new(op);
        let longest = longest(op.to().unwrap());
        for way in 0.. {
            let seal = |frame| ready.seal(frame);
            let Some((message, error)) = bad::malformed(way, &ready.frame, longest, &seal) else { break };
            assert_eq!(ready.refused(&message), LockError::Wire(error), "{op:?} {way}");
        }
        assert_eq!(ready.attempt(&mut Forget).map(drop), Ok(()), "{op:?}");
    }
}

/// Whether the lock says that nobody who may ask for it made this.
const fn forged(error: LockError) -> bool {
    use LockError::{CardMac, CommandSignature, ReleaseSignature, UnlockMac};
    matches!(error, CardMac | CommandSignature(_) | ReleaseSignature(_) | UnlockMac)
}

//= spec/protocol.md#unlock
//# UNL-14. A refusal before the tag held MUST be the opaque Refused, whatever the cause.
#[test]
fn no_bit_of_a_request_can_be_flipped() {
    for to in To::ALL {
        let op = Op::requests().find(|op| op.to() == Some(to)).unwrap();
        let mut ready = Ready::new(op);
        // Of a bundle one bit of each byte, in its turn: each attempt at one costs eight signatures.
        for bit in (0..).step_by(if to == To::Install { 9 } else { 1 }) {
            let Some(flipped) = bad::flip(bit, &ready.message) else { break };
            let error = ready.refused(&flipped);
            // The last 16 bytes of each authenticate.
            assert!(bit / 8 < flipped.len() - 16 || forged(error), "{op:?}, bit {bit}: {error}");
        }
        assert_eq!(ready.attempt(&mut Forget).map(drop), Ok(()), "{op:?}");
    }
}
