//! Parsing of the values of PAX records.

/// Strips trailing NULs and blanks.
pub(super) fn unpadded(value: &[u8]) -> &[u8] {
    let padding = value.iter().rev().take_while(|byte| matches!(byte, 0 | b' ')).count();
    &value[..value.len() - padding]
}

/// Parses a decimal number, without sign or blanks.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Parses seconds with a fraction; negative before 1970. Trailing NULs and blanks are allowed.
pub(super) fn time(value: &[u8]) -> Option<(i64, u32)> {
    let value = unpadded(value);
    let (negative, value) = match value.strip_prefix(b"-") {
        Some(value) => (true, value),
        None => (false, value),
    };
    let mut parts = value.splitn(2, |byte| *byte == b'.');
    let seconds = i64::try_from(decimal(parts.next()?)?).ok()?;
    let fraction = parts.next().unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut digits = *b"000000000";
    let n = fraction.len().min(digits.len());
    digits[..n].copy_from_slice(&fraction[..n]);
    let nanoseconds = decimal(&digits)? as u32;
    Some(match (negative, nanoseconds) {
        (false, _) => (seconds, nanoseconds),
        (true, 0) => (-seconds, 0),
        (true, _) => (-seconds - 1, 1_000_000_000 - nanoseconds),
    })
}

/// Decodes the name of an attribute as GNU tar writes it: `%3D` stands for `=`, and `%25` for `%`.
pub(super) fn gnu_xattr_name(name: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [first, after @ ..] = rest {
        let (byte, len) = match rest {
            [b'%', b'3', b'D', ..] => (b'=', 3),
            [b'%', b'2', b'5', ..] => (b'%', 3),
            _ => (*first, 1),
        };
        decoded.push(byte);
        rest = if len == 1 { after } else { &rest[len..] };
    }
    decoded
}

/// Decodes the name and value of an attribute as libarchive writes them: `%` and two hexadecimal
/// digits stand for a byte of the name; the value is in base64.
pub(super) fn libarchive_xattr(name: &[u8], value: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut decoded = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [first, after @ ..] = rest {
        rest = after;
        if let (b'%', [high, low, after @ ..]) = (first, after)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            decoded.push(high << 4 | low);
            rest = after;
        } else {
            decoded.push(*first);
        }
    }
    Some((decoded, base64(value)?))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text[..text.len() - padding].chunks(4) {
        let mut bits = 0_u32;
        for byte in group {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        // A final group of two or three digits encodes one or two bytes.
        let n = [None, None, Some(1), Some(2), Some(3)][group.len()]?;
        bits <<= 6 * (4 - group.len());
        bytes.extend(&bits.to_be_bytes()[1..=n]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_have_a_positive_fraction() {
        assert_eq!(time(b"-1.25"), Some((-2, 750_000_000)));
        assert_eq!(time(b"-0.5"), Some((-1, 500_000_000)));
        assert_eq!(time(b"-3"), Some((-3, 0)));
        assert_eq!(time(b"7.5"), Some((7, 500_000_000)));
        assert_eq!(time(b"7.123456789999"), Some((7, 123_456_789)));
        assert_eq!(time(b"7. \0"), Some((7, 0)));
        for bad in [&b"7.x"[..], b"1e-05", b".5", b"", b"-", b"+5", b" 1", b"99999999999999999999"]
        {
            assert_eq!(time(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn libarchive_attributes_are_decoded() {
        for (encoded, bytes) in
            [("", ""), ("eA", "x"), ("eHk=", "xy"), ("eHl6", "xyz"), ("eHl6eA", "xyzx")]
        {
            assert_eq!(base64(encoded.as_bytes()).as_deref(), Some(bytes.as_bytes()), "{encoded}");
        }
        assert_eq!(base64(b"e"), None);
        assert_eq!(base64(b"!!!!"), None);
        let (name, _) = libarchive_xattr(b"user.a%3Db%", b"eA").expect("good");
        assert_eq!(name, b"user.a=b%");
    }
}
