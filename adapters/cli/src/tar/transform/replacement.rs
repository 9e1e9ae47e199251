//! The replacement of a match.

use regex::bytes::Captures;

/// A part of a replacement.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Literal(Vec<u8>),
    /// `&`, or `\1`.
    Group(usize),
    /// `\U`, `\L`, `\u`, `\l`, `\E`.
    Case(u8),
}

/// The replacement of a match.
#[derive(Debug)]
pub(super) struct Replacement {
    pieces: Vec<Piece>,
}

impl Replacement {
    /// Parses a replacement; delimiters in it are already unescaped.
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut pieces = Vec::new();
        let mut bytes = text.iter().copied();
        let mut literal = Vec::new();
        while let Some(byte) = bytes.next() {
            let piece = match byte {
                b'&' => Piece::Group(0),
                b'\\' => match bytes.next() {
                    Some(digit @ b'0'..=b'9') => Piece::Group(usize::from(digit - b'0')),
                    Some(case @ (b'U' | b'L' | b'u' | b'l' | b'E')) => Piece::Case(case),
                    escaped => {
                        literal.push(escaped.map_or(b'\\', character));
                        continue;
                    }
                },
                byte => {
                    literal.push(byte);
                    continue;
                }
            };
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(piece);
        }
        pieces.push(Piece::Literal(literal));
        Self { pieces }
    }

    /// Returns the highest group that it refers to.
    pub(super) fn groups(&self) -> usize {
        let groups = self.pieces.iter().map(|piece| match piece {
            Piece::Group(number) => *number,
            _ => 0,
        });
        groups.max().unwrap_or(0)
    }

    /// Appends the replacement of a match.
    pub(super) fn write(&self, out: &mut Vec<u8>, captures: &Captures<'_>) {
        // The case of all that follows, and of only the next character.
        let (mut all, mut next) = (b'E', b'E');
        for piece in &self.pieces {
            let text = match piece {
                Piece::Case(case @ (b'u' | b'l')) => {
                    next = *case;
                    continue;
                }
                Piece::Case(case) => {
                    (all, next) = (*case, b'E');
                    continue;
                }
                Piece::Literal(text) => text,
                Piece::Group(number) => {
                    captures.get(*number).map_or(&[][..], |group| group.as_bytes())
                }
            };
            for byte in text {
                let case = if next == b'E' { all } else { next };
                next = b'E';
                out.push(match case {
                    b'U' | b'u' => byte.to_ascii_uppercase(),
                    b'L' | b'l' => byte.to_ascii_lowercase(),
                    _ => *byte,
                });
            }
        }
    }
}

/// Returns the character that a backslash and a letter stand for.
fn character(letter: u8) -> u8 {
    match letter {
        b'a' => 0x07,
        b'f' => 0x0C,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0B,
        other => other,
    }
}
