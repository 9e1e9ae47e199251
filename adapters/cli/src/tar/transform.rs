//! Renames members: `--transform` and `--strip-components`, as in GNU tar.

mod posix;
mod replacement;
mod scope;
mod sed;

pub(super) use scope::Scope;
pub(super) use sed::Expression;

/// How names change.
#[derive(Debug, Default)]
pub(super) struct Transform {
    expressions: Vec<Expression>,
    /// The number of leading components to strip on extraction.
    pub(super) strip: usize,
    /// A directory to put all members into.
    pub(super) top: Option<Vec<u8>>,
}

impl Transform {
    /// Adds `s` expressions, separated by `;`.
    pub(super) fn push(&mut self, text: &[u8]) -> Result<(), String> {
        self.expressions.extend(sed::parse(text)?);
        Ok(())
    }

    pub(super) fn is_none(&self) -> bool {
        self.expressions.is_empty() && self.strip == 0 && self.top.is_none()
    }

    /// Applies only the expressions.
    pub(super) fn rename(&self, name: &[u8], scope: Scope) -> Vec<u8> {
        let mut name = name.to_vec();
        for expression in self.expressions.iter().filter(|expression| expression.applies(scope)) {
            name = expression.replace(&name);
        }
        name
    }

    /// Returns the name to extract a member as, without a trailing `/`; empty if nothing is left.
    pub(super) fn member(&self, name: &[u8], scope: Scope) -> Vec<u8> {
        let name = self.rename(name, scope);
        if scope == Scope::Symlink {
            return name;
        }
        let name = stripped(rooted(&name), self.strip);
        match &self.top {
            Some(top) if !name.is_empty() => below(top, name),
            _ => name.to_vec(),
        }
    }
}

/// Strips leading slashes from a name; `.` if nothing is left.
fn rooted(name: &[u8]) -> &[u8] {
    match &name[leading_slashes(name)..] {
        [] => b".",
        rest => rest,
    }
}

/// Strips the first components from a name; empty if there are no others.
fn stripped(name: &[u8], count: usize) -> &[u8] {
    let mut rest = name;
    for _ in 0..count {
        rest = &rest[leading_slashes(rest)..];
        match rest.iter().position(|byte| *byte == b'/') {
            Some(end) => rest = &rest[end..],
            None => return &[],
        }
    }
    if count == 0 { rest } else { &rest[leading_slashes(rest)..] }
}

fn leading_slashes(name: &[u8]) -> usize {
    name.iter().take_while(|byte| **byte == b'/').count()
}

/// Prepends the directory to a name, unless the name is already inside it.
fn below(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let inner = super::names::trimmed(name);
    match inner.strip_prefix(folder) {
        Some([] | [b'/', ..]) => name.to_vec(),
        _ if inner.is_empty() => folder.to_vec(),
        _ => [folder, b"/", inner].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_stripped_whole() {
        for (name, count, left) in [
            ("a/b/c", 0, "a/b/c"),
            ("a/b/c", 1, "b/c"),
            ("a//b/c", 2, "c"),
            ("./a/b", 1, "a/b"),
            ("a", 1, ""),
            ("a/b", 7, ""),
        ] {
            assert_eq!(stripped(name.as_bytes(), count), left.as_bytes(), "{name} {count}");
        }
    }
}
