//! Patterns of names to leave out, as GNU tar's `--exclude` has them: `*` matches `/` too, and a
//! pattern matches a name from its beginning or from behind any `/`.

/// Patterns.
#[derive(Debug, Default)]
pub(super) struct Exclude {
    patterns: Vec<Vec<u8>>,
}

impl Exclude {
    pub(super) fn new(patterns: &[std::ffi::OsString]) -> Self {
        let bytes = |pattern: &std::ffi::OsString| {
            let pattern = pattern.as_encoded_bytes();
            pattern.strip_suffix(b"/").unwrap_or(pattern).to_vec()
        };
        Self { patterns: patterns.iter().map(bytes).collect() }
    }

    /// Whether the name, or a folder that it is in, is to be left out.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        let ends = name.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(i, _)| i);
        !self.patterns.is_empty()
            && ends.chain([name.len()]).any(|end| self.matches_whole(&name[..end]))
    }

    fn matches_whole(&self, name: &[u8]) -> bool {
        let starts = name.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(i, _)| i + 1);
        let mut starts = std::iter::once(0).chain(starts);
        starts.any(|start| self.patterns.iter().any(|pattern| glob(pattern, &name[start..])))
    }
}

/// Whether a shell pattern matches all of `text`.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    // Where to go on if what was tried does not match: the last star swallows one byte more.
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
                continue;
            }
            None if t == text.len() => return true,
            Some(_) if t < text.len() => one(&pattern[p..], text[t]),
            _ => None,
        };
        match (step, &mut star) {
            (Some(len), _) => {
                p += len;
                t += 1;
            }
            (None, Some((after, swallowed))) if *swallowed < text.len() => {
                *swallowed += 1;
                (p, t) = (*after, *swallowed);
            }
            (None, _) => return false,
        }
    }
}

/// How long the first part of the pattern is, if it matches the byte.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'\\', literal, ..] => (*literal == byte).then_some(2),
        [b'[', rest @ ..] => match class(rest, byte) {
            Some((len, found)) => found.then_some(len),
            None => (byte == b'[').then_some(1),
        },
        [literal, ..] => (*literal == byte).then_some(1),
        [] => None,
    }
}

/// How long the class `[a-z]` is, of which `rest` is what follows its `[`, and whether the byte is in it;
/// `None` if it has no end, and is no class then.
fn class(rest: &[u8], byte: u8) -> Option<(usize, bool)> {
    let negated = matches!(rest.first(), Some(b'!' | b'^'));
    let start = usize::from(negated);
    let len = rest.iter().skip(start + 1).position(|byte| *byte == b']')? + 1;
    let members = &rest[start..start + len];
    let mut found = false;
    let mut i = 0;
    while i < members.len() {
        if let [low, b'-', high, ..] = members[i..] {
            found |= (low..=high).contains(&byte);
            i += 3;
        } else {
            found |= members[i] == byte;
            i += 1;
        }
    }
    Some((start + len + 2, found != negated))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, yes, no) in [
            ("*.o", "a/b.o", "a/b.os"),
            ("a*c*e", "abcde", "abcd"),
            ("?[0-9]", "x7", "xx"),
            ("[!a]b", "cb", "ab"),
            ("\\*", "*", "x"),
            ("[", "[", "x"),
            ("[]x]", "]", "y"),
            ("**", "", "never"),
        ] {
            assert!(glob(pattern.as_bytes(), yes.as_bytes()), "{pattern} {yes}");
            if no != "never" {
                assert!(!glob(pattern.as_bytes(), no.as_bytes()), "{pattern} {no}");
            }
        }
    }

    #[test]
    fn a_pattern_matches_behind_any_slash_and_all_that_is_in_a_folder() {
        let exclude = Exclude::new(&["target".into(), "src/*.tmp".into()]);
        for name in ["target", "a/target", "a/target/b/c", "x/src/y.tmp"] {
            assert!(exclude.matches(name.as_bytes()), "{name}");
        }
        for name in ["targets", "a/my-target", "x.tmp"] {
            assert!(!exclude.matches(name.as_bytes()), "{name}");
        }
    }
}
