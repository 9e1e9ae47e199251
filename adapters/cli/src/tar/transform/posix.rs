//! Translates basic and extended POSIX regular expressions to the syntax of the `regex` crate.
//!
//! One difference remains: of several alternatives, the first match is taken, not the longest.

use std::fmt::Write;

use crate::tar::matching::glob::{class, literal};

/// A token, independent of its spelling.
enum Token<'a> {
    Operator(u8),
    /// `{2,3}`, with the text between the braces.
    Interval(&'a [u8]),
    Literal(u8),
    /// GNU's `\w`, `\b` and others, in the syntax of the `regex` crate.
    Escape(&'static str),
}

/// Translates an expression.
pub(super) fn translate(pattern: &[u8], extended: bool) -> Result<String, String> {
    let mut text = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    // Whether nothing that could be repeated comes before this position.
    let mut at_start = true;
    let mut depth = 0_usize;
    while let Some((&byte, behind)) = rest.split_first() {
        if byte == b'[' {
            let (class, len) = class(behind, false).ok_or("unmatched [")?;
            let _ = write!(text, "(?u:{class})");
            rest = &behind[len..];
            at_start = false;
            continue;
        }
        let (token, len) = token(rest, extended)?;
        let behind = &rest[len..];
        match token {
            Token::Operator(b'*') if at_start => literal(&mut text, b'*'),
            Token::Operator(b'^') if !extended && !at_start => literal(&mut text, b'^'),
            Token::Operator(b'$') if !extended && !ends(behind) => literal(&mut text, b'$'),
            Token::Operator(b'^') => {
                text.push_str(r"\A");
                rest = behind;
                continue;
            }
            Token::Operator(b'$') => text.push_str(r"\z"),
            Token::Operator(b'.') => text.push_str("(?:(?u:.)|[\\x80-\\xFF])"),
            Token::Operator(operator @ (b'+' | b'?')) if at_start => literal(&mut text, operator),
            Token::Operator(b')') if depth == 0 && extended => literal(&mut text, b')'),
            Token::Operator(operator) => {
                match operator {
                    b'(' => depth += 1,
                    b')' => depth = depth.checked_sub(1).ok_or("unmatched )")?,
                    _ => {}
                }
                text.push(char::from(operator));
                at_start = matches!(operator, b'(' | b'|');
                rest = behind;
                continue;
            }
            Token::Interval(between) => {
                let between = String::from_utf8_lossy(between);
                match between.strip_prefix(',') {
                    Some(most) => drop(write!(text, "{{0,{most}}}")),
                    None => drop(write!(text, "{{{between}}}")),
                }
            }
            Token::Literal(byte) => literal(&mut text, byte),
            Token::Escape(escape) => text.push_str(escape),
        }
        rest = behind;
        at_start = false;
    }
    Ok(text)
}

/// Returns whether a `$` followed by `behind` stands for the end, in a basic expression.
fn ends(behind: &[u8]) -> bool {
    matches!(behind, [] | [b'\\', b')' | b'|', ..])
}

/// Returns the next token and its length.
fn token(rest: &[u8], extended: bool) -> Result<(Token<'_>, usize), String> {
    Ok(match rest {
        [b'\\', escaped, ..] => {
            let operator = matches!(escaped, b'(' | b')' | b'|' | b'+' | b'?') && !extended;
            let token = match escaped {
                b'{' if !extended => return interval(rest, 2, b"\\}"),
                _ if operator => Token::Operator(*escaped),
                b'1'..=b'9' => return Err("back-references are not supported".into()),
                b'w' => Token::Escape(r"(?:\w)"),
                b'W' => Token::Escape(r"(?:\W)"),
                b's' => Token::Escape(r"(?:\s)"),
                b'S' => Token::Escape(r"(?:\S)"),
                b'b' => Token::Escape(r"\b"),
                b'B' => Token::Escape(r"\B"),
                b'<' => Token::Escape(r"\b{start}"),
                b'>' => Token::Escape(r"\b{end}"),
                b'`' => Token::Escape(r"\A"),
                b'\'' => Token::Escape(r"\z"),
                b'n' => Token::Literal(b'\n'),
                literal => Token::Literal(*literal),
            };
            (token, 2)
        }
        [b'\\'] => return Err("trailing backslash".into()),
        [b'{', ..] if extended => return interval(rest, 1, b"}"),
        [operator @ (b'(' | b')' | b'|' | b'+' | b'?'), ..] if extended => {
            (Token::Operator(*operator), 1)
        }
        [operator @ (b'*' | b'^' | b'$' | b'.'), ..] => (Token::Operator(*operator), 1),
        [literal, ..] => (Token::Literal(*literal), 1),
        [] => return Err("empty expression".into()),
    })
}

fn interval<'a>(rest: &'a [u8], open: usize, close: &[u8]) -> Result<(Token<'a>, usize), String> {
    let len = rest[open..].windows(close.len()).position(|bytes| bytes == close);
    let len = len.ok_or("unmatched {")?;
    let between = &rest[open..open + len];
    if between.iter().any(|byte| !byte.is_ascii_digit() && *byte != b',') {
        return Err("expected numbers between braces".into());
    }
    Ok((Token::Interval(between), open + len + close.len()))
}
