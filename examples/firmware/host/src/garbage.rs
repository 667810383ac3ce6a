//! What is no frame, and what is no request.

use sharekey::message::{Challenge, Connect, Refused};
use sharekey::wire::Unverified;

use super::machine::{Firmware, Machine};
use super::{Outcome, ensure};

/// What is no frame is dropped, what is no request is refused, and the next request is answered.
///
/// # Errors
/// Where the firmware does otherwise.
pub fn on_the_line(firmware: Firmware) -> Outcome<()> {
    let mut machine = Machine::new(firmware, &[0; 16])?;
    machine.boot()?;
    // Nothing, a frame that ends too early, two that are too long, and the end of one that began before.
    let no_frames: [&[u8]; 5] =
        [&[0, 0, 0], &[9, 1, 2, 0], &[&[1; 3000][..], &[0]].concat(), &[&[255; 3000][..], &[0]].concat(), &[7, 7, 0]];
    for bytes in no_frames {
        machine.send_raw(bytes)?;
        let answer = machine.request(&Connect::OPERATE)?;
        ensure(Unverified::<Challenge>::parse(&answer).is_ok(), || format!("after {} bytes: {answer:?}", bytes.len()))?;
    }
    // No session is open but the last; none of these spends it, or is anything.
    let no_requests: [&[u8]; 4] = [b"O", b"SK\x01\x05", b"SK\x02\x0a", &[0; 400]];
    for message in no_requests {
        ensure(machine.request(message)? == Refused::OPAQUE, || format!("{message:?} is not refused"))?;
    }
    machine.cut()
}
