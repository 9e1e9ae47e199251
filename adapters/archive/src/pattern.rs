//! Shell patterns for the names of extended attributes.

/// Returns whether a pattern with `*`, `?` and `[...]` matches the whole name.
pub(crate) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    // Where to retry if the rest does not match: the last `*` then takes one more byte.
    let mut retry: Option<(&[u8], &[u8])> = None;
    let (mut pattern, mut name) = (pattern, name);
    loop {
        if let [b'*', after @ ..] = pattern {
            retry = Some((after, name));
            pattern = after;
            continue;
        }
        if let [byte, rest @ ..] = name
            && let Some(after) = match_byte(pattern, *byte)
        {
            (pattern, name) = (after, rest);
            continue;
        }
        if pattern.is_empty() && name.is_empty() {
            return true;
        }
        match retry {
            Some((after, [_, rest @ ..])) => {
                retry = Some((after, rest));
                (pattern, name) = (after, rest);
            }
            _ => return false,
        }
    }
}

/// Matches one byte. Returns the rest of the pattern, or `None` if the byte does not match.
fn match_byte(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [b'?', after @ ..] => Some(after),
        [b'[', whole @ ..] => {
            let (negated, set) = match whole {
                [b'!' | b'^', set @ ..] => (true, set),
                set => (false, set),
            };
            // A `]` that comes first is a member of the set.
            let end = set.iter().skip(1).position(|byte| *byte == b']');
            // Without a closing bracket, it is a literal `[`.
            let Some(end) = end.map(|end| end + 1) else {
                return (byte == b'[').then_some(whole);
            };
            let (mut members, after) = (&set[..end], &set[end + 1..]);
            let mut is_member = false;
            while let [first, rest @ ..] = members {
                members = rest;
                if let [b'-', last, rest @ ..] = rest {
                    is_member |= (*first..=*last).contains(&byte);
                    members = rest;
                } else {
                    is_member |= *first == byte;
                }
            }
            (is_member != negated).then_some(after)
        }
        [b'\\', literal, after @ ..] | [literal, after @ ..] => (*literal == byte).then_some(after),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_the_shell() {
        for (pattern, name, expected) in [
            ("*", "security.capability", true),
            ("security.*", "security.capability", true),
            ("security.*", "user.security.x", false),
            ("*.c?p*", "security.capability", true),
            ("user.[a-c]", "user.b", true),
            ("user.[!a-c]", "user.b", false),
            ("user.[]x]", "user.]", true),
            (r"user.\*", "user.*", true),
            (r"user.\*", "user.x", false),
            ("user", "user.x", false),
            ("*a*b", "xaxbxb", true),
            ("", "", true),
            ("user.?", "user.", false),
            ("[a-z]]", "q]", true),
            ("[x", "[x", true),
            ("[", "[", true),
            ("*a*b", "xxaba", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
