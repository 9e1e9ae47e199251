//! Patterns as the shell has them.

/// Whether all of the name matches: `*` and `?` stand for any bytes, dots and slashes too, and brackets for
/// one of those in them.
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    // Where to go on when what follows the last star does not match.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        let matched = match pattern.split_first() {
            Some((b'*', rest)) => {
                star = Some((rest, name));
                pattern = rest;
                continue;
            }
            Some(_) => one(pattern, name),
            None if name.is_empty() => return true,
            None => None,
        };
        (pattern, name) = match (matched, star) {
            (Some(behind), _) => behind,
            (None, Some((rest, from))) if !from.is_empty() => {
                star = Some((rest, &from[1..]));
                (rest, &from[1..])
            }
            _ => return false,
        };
    }
}

/// What is behind the first part of the pattern and the byte that it stands for, if it does.
fn one<'a>(pattern: &'a [u8], name: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (&first, behind) = pattern.split_first()?;
    let (&byte, rest) = name.split_first()?;
    let literal = (first == byte).then_some((behind, rest));
    match first {
        b'?' => Some((behind, rest)),
        b'[' => match set(behind, byte) {
            Some((behind, within)) => within.then_some((behind, rest)),
            None => literal,
        },
        b'\\' => match behind.split_first() {
            Some((&escaped, behind)) => (escaped == byte).then_some((behind, rest)),
            None => literal,
        },
        _ => literal,
    }
}

/// What is behind a set, and whether the byte is in it; `None` if it has no end.
fn set(pattern: &[u8], byte: u8) -> Option<(&[u8], bool)> {
    let negated = matches!(pattern.first(), Some(b'!' | b'^'));
    let body = &pattern[usize::from(negated)..];
    // A bracket at the beginning is one of the set.
    let end = 1 + body.get(1..)?.iter().position(|byte| *byte == b']')?;
    let (mut set, mut within) = (&body[..end], false);
    while let [first, rest @ ..] = set {
        (within, set) = match rest {
            [b'-', last, rest @ ..] => (within || (*first..=*last).contains(&byte), rest),
            _ => (within || *first == byte, rest),
        };
    }
    Some((&body[end + 1..], within != negated))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, is) in [
            ("user.*", "user.note", true),
            ("user.*", "trusted.note", false),
            ("*", "", true),
            ("*a*b", "xxabab", true),
            ("*a*b", "xxaba", false),
            ("user.?", "user.", false),
            ("[us]ser", "user", true),
            ("[!u]ser", "user", false),
            ("[a-z]]", "q]", true),
            ("[]]", "]", true),
            ("[x", "[x", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), is, "{pattern} {name}");
        }
    }
}
