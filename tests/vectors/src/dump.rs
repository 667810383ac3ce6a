//! The annotated dumps in the text of the spec: one for each kind, of the first case of it, as the tables of the messages
//! divide it.

use sharekey::wire::{Authenticator, Field, HEADER_LEN, Kind, Message, Shape};
use sharekey_stage::every_body;

use super::decode::by_body;
use super::samples::{self, Sample};

/// What stands before a dump; the name of a case of `messages.json` is between the backquotes.
const BEFORE: &str = "The bytes of the case `";
const FENCE: &str = "```";
const PER_LINE: usize = 16;

/// A piece of a message: how long, and what.
type Piece = (usize, String);

/// Divides bytes as a shape says.
struct Divided<'a> {
    bytes: &'a [u8],
    pieces: Vec<Piece>,
}

impl<'a> Divided<'a> {
    fn piece(&mut self, len: usize, label: impl FnOnce(&[u8]) -> String) -> &'a [u8] {
        let (piece, rest) = self.bytes.split_at(len);
        self.bytes = rest;
        self.pieces.push((len, label(piece)));
        piece
    }

    /// A value, as `name` of `of`.
    fn value(&mut self, of: Option<&str>, name: &str, shape: Shape) {
        let label = of.map_or(name.to_owned(), |of| format!("{of}: {name}"));
        let numbered = |number: &dyn std::fmt::Display| format!("{label}: {number}");
        match shape {
            Shape::Bytes(len) => {
                self.piece(len, |_| label);
            }
            Shape::Number(len) => {
                self.piece(len, |bytes| numbered(&number(bytes)));
            }
            Shape::Signed => {
                self.piece(2, |bytes| numbered(&i16::from_le_bytes([bytes[0], bytes[1]])));
            }
            Shape::Named(_) => {
                self.piece(1, |bytes| numbered(&bytes[0]));
            }
            Shape::Optional(shape) => {
                if self.piece(1, |bytes| format!("{label} is there: {}", bytes[0])) == [1] {
                    self.value(of, name, *shape);
                }
            }
            Shape::Fields(fields) => self.fields(Some(name), fields),
            Shape::Tagged(variants) => {
                let tag = self.piece(1, |bytes| numbered(&bytes[0]));
                let variant = variants.iter().find(|variant| [variant.tag] == tag).unwrap();
                self.fields(None, variant.fields);
            }
        }
    }

    fn fields(&mut self, of: Option<&str>, fields: &[Field]) {
        for field in fields {
            self.value(of, &field.name.replace('_', " "), field.shape);
        }
    }
}

fn number(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    wide.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(wide)
}

fn body<T: Message>(divided: &mut Divided<'_>) {
    let Shape::Fields(fields) = T::SHAPE else { panic!("{:?} has no fields", T::KIND) };
    divided.fields(None, fields);
    match T::Auth::LEN {
        0 => {}
        16 => {
            divided.piece(16, |_| "tag".to_owned());
        }
        _ => {
            for half in ["signature: R", "signature: S"] {
                divided.piece(32, |_| half.to_owned());
            }
        }
    }
}

fn bundle(divided: &mut Divided<'_>) {
    for part in ["grant", "claim", "install", "release"] {
        let length = divided.piece(2, |bytes| format!("length of {part}: {}", number(bytes)));
        divided.piece(number(length).try_into().unwrap(), |_| part.to_owned());
    }
}

fn pieces(kind: Kind, bytes: &[u8]) -> Vec<Piece> {
    let mut divided = Divided { bytes, pieces: Vec::new() };
    divided.piece(HEADER_LEN, |_| "header".to_owned());
    every_body!(by_body!(kind, body, (&mut divided), bundle(&mut divided)));
    assert!(divided.bytes.is_empty(), "{kind:?}");
    divided.pieces
}

/// The dump of a sample, a line for each piece or 16 bytes of it.
fn dump(sample: &Sample) -> String {
    let (mut text, mut at) = (String::new(), 0);
    for (len, label) in pieces(sample.kind, &sample.bytes) {
        for (line, part) in sample.bytes[at..at + len].chunks(PER_LINE).enumerate() {
            let hex = part.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
            let what = if line == 0 { label.as_str() } else { "" };
            text += format!("{at:4}  {hex:47}  {what}").trim_end();
            text.push('\n');
            at += part.len();
        }
    }
    text
}

/// The text of the spec with every dump in it made anew.
pub fn rewritten(spec: &str) -> String {
    let samples = samples::all();
    let (mut text, mut lines) = (String::new(), spec.lines());
    while let Some(line) = lines.next() {
        text = text + line + "\n";
        let Some(name) = line.strip_prefix(BEFORE).and_then(|rest| rest.split('`').next()) else { continue };
        let sample = samples.iter().find(|sample| sample.name == name).unwrap_or_else(|| panic!("no case {name}"));
        text += &format!("\n{FENCE}text\n{}{FENCE}\n", dump(sample));
        // What stood there before.
        let mut fences = 0;
        while fences < 2 {
            fences += usize::from(lines.next().expect("a dump ends").starts_with(FENCE));
        }
    }
    text
}

/// The name of the case that each dump of the spec is of, and its bytes as they stand in the text.
pub fn in_text(spec: &str) -> Vec<(String, Vec<u8>)> {
    let parts = spec.split(BEFORE).skip(1);
    parts
        .map(|part| {
            let name = part.split('`').next().unwrap().to_owned();
            let block = part.split(&format!("{FENCE}text\n")).nth(1).unwrap().split(FENCE).next().unwrap();
            let hex = block.lines().flat_map(|line| line[6..].chars().take(3 * PER_LINE - 1)).filter(|c| *c != ' ');
            (name, super::peer::request::unhex(&hex.collect::<String>()).expect("a dump is hexadecimal"))
        })
        .collect()
}
