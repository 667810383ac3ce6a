//! A corpus in one file, so that git holds as many files as there are targets.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `SKF1` |
//! | 4 | how many inputs, little-endian |
//! | 4 | of each input: its length, little-endian |
//! | so many | and the input |
//!
//! The shortest come first, those of one length in the order of their bytes, and none comes twice: the same inputs are
//! the same file.

const MAGIC: [u8; 4] = *b"SKF1";

/// Why a file is no archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damaged {
    Magic,
    Truncated,
    /// Bytes follow the last input.
    Trailing,
    /// An input comes twice, or before one that is less.
    Order,
}

/// The inputs of an archive: all, or none.
///
/// # Errors
/// What is wrong with it.
pub fn read(archive: &[u8]) -> Result<Vec<Vec<u8>>, Damaged> {
    let Some((&MAGIC, mut rest)) = archive.split_first_chunk() else { return Err(Damaged::Magic) };
    let count = number(&mut rest)?;
    let mut inputs: Vec<Vec<u8>> = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(number(&mut rest)?).unwrap();
        let (input, after) = rest.split_at_checked(length).ok_or(Damaged::Truncated)?;
        rest = after;
        if inputs.last().is_some_and(|last| place(last) >= place(input)) {
            return Err(Damaged::Order);
        }
        inputs.push(input.to_vec());
    }
    if rest.is_empty() { Ok(inputs) } else { Err(Damaged::Trailing) }
}

/// The archive of these inputs.
pub fn write(inputs: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut inputs: Vec<Vec<u8>> = inputs.into_iter().collect();
    inputs.sort_by(|one, other| place(one).cmp(&place(other)));
    inputs.dedup();
    let length = |of: usize| u32::try_from(of).unwrap().to_le_bytes();
    let mut archive = [MAGIC, length(inputs.len())].concat();
    for input in inputs {
        archive.extend(length(input.len()));
        archive.extend(input);
    }
    archive
}

fn place(input: &[u8]) -> (usize, &[u8]) {
    (input.len(), input)
}

fn number(rest: &mut &[u8]) -> Result<u32, Damaged> {
    let (number, after) = rest.split_first_chunk().ok_or(Damaged::Truncated)?;
    *rest = after;
    Ok(u32::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Vec<Vec<u8>> {
        [&b""[..], b"a", b"b", b"aa", b"\0\0\0"].map(<[u8]>::to_vec).to_vec()
    }

    /// An archive by hand, of whatever inputs in whatever order.
    fn by_hand(inputs: &[&[u8]]) -> Vec<u8> {
        let mut archive = [*b"SKF1", u32::try_from(inputs.len()).unwrap().to_le_bytes()].concat();
        for input in inputs {
            archive.extend(u32::try_from(input.len()).unwrap().to_le_bytes());
            archive.extend(*input);
        }
        archive
    }

    #[test]
    fn an_archive_is_the_same_whatever_order_its_inputs_came_in() {
        let archive = write(some());
        assert_eq!(read(&archive), Ok(some()));
        assert_eq!(write(some().into_iter().rev().chain(some())), archive);
        assert_eq!(archive, by_hand(&[b"", b"a", b"b", b"aa", b"\0\0\0"]));
        assert_eq!(read(&write([])), Ok(Vec::new()));
    }

    #[test]
    fn a_truncated_archive_is_an_error_and_not_fewer_inputs() {
        let archive = write(some());
        for end in 0..archive.len() {
            let error = if end < 4 { Damaged::Magic } else { Damaged::Truncated };
            assert_eq!(read(&archive[..end]), Err(error), "{end} bytes");
        }
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        let archive = write(some());
        assert_eq!(read(&[&archive[..], &[0]].concat()), Err(Damaged::Trailing));
        assert_eq!(read(&[&[0], &archive[1..]].concat()), Err(Damaged::Magic));
        assert_eq!(read(&by_hand(&[b"a", b"a"])), Err(Damaged::Order));
        assert_eq!(read(&by_hand(&[b"b", b"a"])), Err(Damaged::Order));
        assert_eq!(read(&by_hand(&[b"aa", b"b"])), Err(Damaged::Order));
    }
}
