//! Patterns of names of extended attributes, as the shell has them.

/// Whether `*`, `?` and `[...]` of the pattern fit the whole name.
pub(crate) fn fits(pattern: &[u8], name: &[u8]) -> bool {
    // Where to go on if what follows the last `*` does not fit: that takes one byte more then.
    let mut retry: Option<(&[u8], &[u8])> = None;
    let (mut pattern, mut name) = (pattern, name);
    loop {
        if let [b'*', behind @ ..] = pattern {
            retry = Some((behind, name));
            pattern = behind;
            continue;
        }
        if let [byte, rest @ ..] = name
            && let Some(behind) = one(pattern, *byte)
        {
            (pattern, name) = (behind, rest);
            continue;
        }
        if pattern.is_empty() && name.is_empty() {
            return true;
        }
        match retry {
            Some((behind, [_, rest @ ..])) => {
                retry = Some((behind, rest));
                (pattern, name) = (behind, rest);
            }
            _ => return false,
        }
    }
}

/// What follows in the pattern behind the part for this byte; `None` if it does not fit.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [b'?', behind @ ..] => Some(behind),
        [b'[', whole @ ..] => {
            let (negated, set) = match whole {
                [b'!' | b'^', set @ ..] => (true, set),
                set => (false, set),
            };
            // A `]` that comes first is one of the set.
            let end = set.iter().skip(1).position(|byte| *byte == b']');
            // Without an end it is a bracket.
            let Some(end) = end.map(|end| end + 1) else {
                return (byte == b'[').then_some(whole);
            };
            let (mut members, behind) = (&set[..end], &set[end + 1..]);
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
            (is_member != negated).then_some(behind)
        }
        [b'\\', literal, behind @ ..] | [literal, behind @ ..] => {
            (*literal == byte).then_some(behind)
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_the_shell() {
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
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
