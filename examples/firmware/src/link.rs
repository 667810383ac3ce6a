//! Messages over a serial line: COBS frames, each ended by a zero byte.
//!
//! A frame carries one message of the protocol. Radios that frame by themselves (BLE, NFC) need nothing
//! of this.

use cobs::{CobsDecoder, CobsEncoder};
use sharekey::lock::{MAX_ANSWER, MAX_REQUEST};

/// An answer as a frame: one byte more for each 254, and the zero.
const FRAME: usize = MAX_ANSWER + MAX_ANSWER.div_ceil(254) + 1;

/// A serial line, a byte at a time.
pub trait Serial {
    /// Waits for a byte, asleep if it can.
    fn receive(&mut self) -> u8;

    /// Sends a byte.
    fn send(&mut self, byte: u8);
}

/// Waits for a well-formed frame; gives its length. Others are dropped, those too long as well.
pub fn receive(serial: &mut impl Serial, into: &mut [u8; MAX_REQUEST]) -> usize {
    loop {
        if let Some(length) = receive_one(serial, into) {
            return length;
        }
    }
}

/// One frame, to its zero; `None` where it is malformed or too long.
fn receive_one(serial: &mut impl Serial, into: &mut [u8; MAX_REQUEST]) -> Option<usize> {
    let mut decoder = CobsDecoder::new(into);
    loop {
        let byte = serial.receive();
        match decoder.feed(byte) {
            Ok(Some(length)) => return Some(length),
            Ok(None) => {}
            Err(_) => {
                // The rest belongs to it.
                let mut last = byte;
                while last != 0 {
                    last = serial.receive();
                }
                return None;
            }
        }
    }
}

/// Sends a message as a frame; nothing where there is none. Nothing is longer than [`MAX_ANSWER`]; what were would not be sent.
pub fn send(serial: &mut impl Serial, message: &[u8]) {
    let mut frame = [0; FRAME];
    let mut encoder = CobsEncoder::new(&mut frame);
    if message.is_empty() || encoder.push(message).is_err() {
        return;
    }
    let length = encoder.finalize();
    frame.iter().take(length).for_each(|byte| serial.send(*byte));
    serial.send(0);
}
