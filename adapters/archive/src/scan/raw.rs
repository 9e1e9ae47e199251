//! Access to the raw fields of a header block.

use super::head::BLOCK;

/// A header block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw<'a>(pub(super) &'a [u8; BLOCK]);

/// Returns whether a block is a valid header, with the magic bytes of POSIX or GNU if `with_magic`
/// is set.
pub(crate) fn is_header(block: &[u8; BLOCK], with_magic: bool) -> bool {
    let raw = Raw(block);
    raw.is_valid() && (!with_magic || raw.has_magic())
}

/// Error for a field that is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoNumber;

impl<'a> Raw<'a> {
    pub(super) fn is_zero(self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// Returns whether the checksum is right. Some old writers sum signed bytes.
    pub(super) fn is_valid(self) -> bool {
        let sum = |value: fn(u8) -> i64| {
            let spaces = 8 * i64::from(b' ');
            let (before, after) = (&self.0[..148], &self.0[156..]);
            before.iter().chain(after).map(|byte| value(*byte)).sum::<i64>() + spaces
        };
        number(&self.0[148..156]).is_ok_and(|stored| {
            stored == Some(sum(i64::from))
                || stored == Some(sum(|byte| i64::from(byte.cast_signed())))
        })
    }

    pub(super) const fn kind(self) -> u8 {
        self.0[156]
    }

    /// Returns the name, including the ustar prefix.
    pub(super) fn path(self) -> Vec<u8> {
        let (name, prefix) = (text(&self.0[..100]), text(&self.0[345..500]));
        let has_prefix = self.0[257..].starts_with(b"ustar") && !self.is_gnu();
        if !has_prefix || prefix.is_empty() {
            return name.to_vec();
        }
        [prefix, b"/", name].concat()
    }

    pub(super) fn link(self) -> &'a [u8] {
        text(&self.0[157..257])
    }

    pub(super) fn mode(self) -> Result<Option<i64>, NoNumber> {
        number(&self.0[100..108])
    }

    pub(super) fn uid(self) -> Result<Option<i64>, NoNumber> {
        number(&self.0[108..116])
    }

    pub(super) fn gid(self) -> Result<Option<i64>, NoNumber> {
        number(&self.0[116..124])
    }

    /// Returns whether the size field holds something else than a size, blanks or NULs.
    pub(super) fn has_bad_size(self) -> bool {
        !number(&self.0[124..136]).is_ok_and(|size| size.is_none_or(|size| size >= 0))
    }

    /// Returns the size of the contents. A blank field is not a size; a field that begins with NULs
    /// means 0.
    pub(super) fn size(self) -> Option<u64> {
        let field = &self.0[124..136];
        match number(field) {
            Ok(None) if field.iter().skip(1).all(|byte| is_blank(*byte)) => None,
            Ok(size) => u64::try_from(size.unwrap_or(0)).ok(),
            Err(NoNumber) => None,
        }
    }

    pub(super) fn mtime(self) -> Result<Option<i64>, NoNumber> {
        number(&self.0[136..148])
    }

    pub(super) fn user(self) -> &'a [u8] {
        if self.has_magic() { text(&self.0[265..297]) } else { b"" }
    }

    pub(super) fn group(self) -> &'a [u8] {
        if self.has_magic() { text(&self.0[297..329]) } else { b"" }
    }

    /// Returns the major and minor number of a device.
    pub(super) fn device(self) -> Result<(u32, u32), NoNumber> {
        let part = |field| u32::try_from(number(field)?.unwrap_or(0)).map_err(|_| NoNumber);
        Ok((part(&self.0[329..337])?, part(&self.0[337..345])?))
    }

    /// Returns whether the header is in GNU tar's old format, which contains sparse file maps.
    pub(super) fn is_gnu(self) -> bool {
        self.0[257..265] == *b"ustar  \0"
    }

    fn has_magic(self) -> bool {
        self.0[257..].starts_with(b"ustar")
    }
}

/// Returns the bytes before the first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    &field[..field.iter().position(|byte| *byte == 0).unwrap_or(field.len())]
}

/// Parses a number in octal or, if the first bit is set, in binary (GNU's signed base 256). Returns
/// `None` for a field of blanks or NULs: some writers omit unknown values.
pub(super) fn number(field: &[u8]) -> Result<Option<i64>, NoNumber> {
    if field.first().is_some_and(|byte| byte & 0x80 != 0) {
        return binary(field).map(Some).ok_or(NoNumber);
    }
    // An old writer leaves a NUL at the start of a field when the previous one overflows.
    let rest =
        field.strip_prefix(b"\0").unwrap_or(field).iter().skip_while(|byte| is_blank(**byte));
    let (mut value, mut digits) = (0_i64, 0);
    for byte in rest {
        match byte {
            b'0'..=b'7' => {
                value = value.checked_mul(8).ok_or(NoNumber)? + i64::from(byte - b'0');
                digits += 1;
            }
            0 => break,
            byte if digits > 0 && is_blank(*byte) => break,
            _ => return Err(NoNumber),
        }
    }
    Ok((digits > 0).then_some(value))
}

/// Like C's `isspace`, which includes the vertical tab.
const fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn binary(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    // The second bit is the sign.
    let first = i128::from(first & 0x3f) - i128::from(first & 0x40);
    let value = rest
        .iter()
        .try_fold(first, |value, byte| Some(value.checked_mul(256)? | i128::from(*byte)))?;
    i64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_others_write_them() {
        for (field, value) in [
            (&b"0000644\0"[..], Ok(Some(0o644))),
            (b"    644 ", Ok(Some(0o644))),
            (b"\x000644 ", Ok(Some(0o644))),
            (b"\x0b644\x0b", Ok(Some(0o644))),
            (b"644\0junk", Ok(Some(0o644))),
            (b"77777777", Ok(Some(0o77_777_777))),
            (b"\0\0\0\0", Ok(None)),
            (b"    ", Ok(None)),
            (b"0000888\0", Err(NoNumber)),
            (b"12x", Err(NoNumber)),
            (b"-5\0", Err(NoNumber)),
            (b"\x80\0\0\0\0\0\x01\xa4", Ok(Some(0o644))),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb", Ok(Some(-5))),
            (b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Err(NoNumber)),
            (b"\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Err(NoNumber)),
        ] {
            assert_eq!(number(field), value, "{field:?}");
        }
    }
}
