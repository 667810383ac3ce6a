//! Several messages in one body: each with its length before it, two bytes, the higher first, as in a report's answer.

/// The messages of a body; `None` where it is cut short, or has bytes behind the last.
pub fn split(mut body: &[u8]) -> Option<Vec<&[u8]>> {
    let mut messages = Vec::new();
    while !body.is_empty() {
        let (length, rest) = body.split_first_chunk::<2>()?;
        let (message, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        messages.push(message);
        body = rest;
    }
    Some(messages)
}

/// One body of messages; one that is too long for a length is left out, which none of the protocol's is.
pub fn join<'a>(messages: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let framed = messages.into_iter().filter_map(|message| {
        let length = u16::try_from(message.len()).ok()?;
        Some([&length.to_be_bytes()[..], message].concat())
    });
    framed.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_is_split_again_and_nothing_else_is() {
        let messages: [&[u8]; 3] = [b"one", b"", b"three"];
        let body = join(messages);
        assert_eq!(split(&body), Some(messages.to_vec()));
        assert_eq!(split(b""), Some(Vec::new()));
        for end in 1..body.len() {
            let whole = [5, 7].contains(&end);
            assert_eq!(split(&body[..end]).is_some(), whole, "{end}");
        }
    }
}
