//! `s/REGEXP/REPLACEMENT/FLAGS`, as in sed.

use regex::bytes::{Regex, RegexBuilder};

use super::posix::translate;
use super::replacement::Replacement;
use super::scope::Scope;

/// One `s` command.
#[derive(Debug)]
pub(in crate::tar) struct Expression {
    regex: Regex,
    replacement: Replacement,
    /// The match to replace, starting at 1; with `global`, also all later ones.
    number: usize,
    global: bool,
    scopes: Scopes,
}

/// Which names an expression applies to.
#[derive(Clone, Copy, Debug)]
struct Scopes {
    members: bool,
    symlinks: bool,
    hard_links: bool,
}

impl Scopes {
    /// Applies a letter; returns `false` if it does not stand for a scope.
    fn set(&mut self, letter: u8) -> bool {
        let on = letter.is_ascii_lowercase();
        match letter {
            b'r' | b'R' => self.members = on,
            b's' | b'S' => self.symlinks = on,
            b'h' | b'H' => self.hard_links = on,
            _ => return false,
        }
        true
    }
}

impl Expression {
    pub(super) fn applies(&self, scope: Scope) -> bool {
        match scope {
            Scope::Member => self.scopes.members,
            Scope::Symlink => self.scopes.symlinks,
            Scope::HardLink => self.scopes.hard_links,
        }
    }

    /// Returns the name with matches replaced.
    pub(super) fn replace(&self, name: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(name.len());
        let mut end = 0;
        let count = if self.global { usize::MAX } else { 1 };
        for captures in self.regex.captures_iter(name).skip(self.number - 1).take(count) {
            let whole = captures.get_match();
            out.extend(&name[end..whole.start()]);
            self.replacement.write(&mut out, &captures);
            end = whole.end();
        }
        out.extend(&name[end..]);
        out
    }
}

/// Parses `s` commands, separated by `;`. `flags=rs` sets the scopes of those that follow.
pub(super) fn parse(text: &[u8]) -> Result<Vec<Expression>, String> {
    let mut expressions = Vec::new();
    let mut defaults = Scopes { members: true, symlinks: true, hard_links: true };
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(letters) = rest.strip_prefix(b"flags=") {
            let len = letters.iter().take_while(|byte| **byte != b';').count();
            defaults = Scopes { members: false, symlinks: false, hard_links: false };
            if let Some(letter) = letters[..len].iter().find(|letter| !defaults.set(**letter)) {
                return Err(format!("unknown scope \"{}\"", char::from(*letter)));
            }
            rest = &letters[len..];
        } else {
            let (expression, behind) = command(rest, defaults)?;
            expressions.push(expression);
            rest = behind;
        }
        rest = rest.strip_prefix(b";").unwrap_or(rest);
    }
    if expressions.is_empty() {
        return Err("expected an s command".into());
    }
    Ok(expressions)
}

/// Parses one command, and returns it with the rest of the text.
fn command(text: &[u8], scopes: Scopes) -> Result<(Expression, &[u8]), String> {
    let Some([delimiter, rest @ ..]) = text.strip_prefix(b"s") else {
        return Err("only s commands are supported, as in s/REGEXP/REPLACEMENT/".into());
    };
    let (pattern, rest) = until(rest, *delimiter)?;
    let (replacement, mut rest) = until(rest, *delimiter)?;
    let mut scopes = scopes;
    let (mut number, mut global, mut ignore_case, mut extended) = (0, false, false, false);
    while let Some((letter, behind)) = rest.split_first() {
        match letter {
            b';' => break,
            b'g' => global = true,
            b'i' => ignore_case = true,
            b'x' => extended = true,
            digit @ b'0'..=b'9' => {
                number = number * 10 + usize::from(digit - b'0');
                if number > 100_000 {
                    return Err("match number too large".into());
                }
            }
            letter if scopes.set(*letter) => {}
            letter => return Err(format!("unknown flag \"{}\"", char::from(*letter))),
        }
        rest = behind;
    }
    let mut builder = RegexBuilder::new(&translate(&pattern, extended)?);
    builder.unicode(false).dot_matches_new_line(true).case_insensitive(ignore_case);
    let regex = builder.build().map_err(|error| error.to_string())?;
    let replacement = Replacement::parse(&replacement);
    if replacement.groups() >= regex.captures_len() {
        return Err(format!("invalid reference \\{} in the replacement", replacement.groups()));
    }
    let number = number.max(1);
    Ok((Expression { regex, replacement, number, global, scopes }, rest))
}

/// Splits the text at the delimiter. A delimiter after a backslash stands for itself.
fn until(text: &[u8], delimiter: u8) -> Result<(Vec<u8>, &[u8]), String> {
    let mut piece = Vec::new();
    let mut at = 0;
    loop {
        match text.get(at..) {
            Some([b'\\', escaped, ..]) => {
                if *escaped != delimiter {
                    piece.push(b'\\');
                }
                piece.push(*escaped);
                at += 2;
            }
            Some([byte, behind @ ..]) if *byte == delimiter => return Ok((piece, behind)),
            Some([byte, ..]) => {
                piece.push(*byte);
                at += 1;
            }
            _ => return Err(format!("missing \"{}\"", char::from(delimiter))),
        }
    }
}
