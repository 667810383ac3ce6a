//! Lines for whoever services the lock, said in parts: `core::fmt` would take 2 KB of flash more.

/// A part of a line.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    /// As it is.
    Text(&'a str),
    /// In decimal.
    Number(u32),
    /// In lower-case hexadecimal.
    Hex(&'a [u8]),
}

impl Part<'_> {
    /// Sends it, a byte at a time.
    pub fn send(self, to: &mut dyn FnMut(u8)) {
        match self {
            Self::Text(text) => text.bytes().for_each(to),
            Self::Number(number) => decimal(number, to),
            Self::Hex(bytes) => bytes.iter().for_each(|byte| {
                digit(u32::from(byte >> 4), to);
                digit(u32::from(byte & 15), to);
            }),
        }
    }
}

fn decimal(number: u32, to: &mut dyn FnMut(u8)) {
    if number > 9 {
        decimal(number / 10, to);
    }
    digit(number % 10, to);
}

fn digit(value: u32, to: &mut dyn FnMut(u8)) {
    if let Some(digit) = b"0123456789abcdef".get(value as usize) {
        to(*digit);
    }
}
