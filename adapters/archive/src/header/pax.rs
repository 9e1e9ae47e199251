//! PAX records.

use std::fmt;

/// A time in seconds since 1970, plus nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: u32,
}

impl Time {
    /// Returns whether it fits into a header: whole seconds from 1970 to 2242.
    pub(super) fn fits_header(self) -> bool {
        (0..1 << 33).contains(&self.seconds) && self.nanoseconds == 0
    }
}

/// Formats the time as in a record: decimal, without trailing zeros.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut seconds, mut nanoseconds) = (i128::from(self.seconds), self.nanoseconds);
        if nanoseconds == 0 {
            return write!(f, "{seconds}");
        }
        if seconds < 0 {
            (seconds, nanoseconds) = (seconds + 1, 1_000_000_000 - nanoseconds);
        }
        let sign = if self.seconds < 0 { "-" } else { "" };
        let fraction = format!("{nanoseconds:09}");
        write!(f, "{sign}{}.{}", seconds.abs(), fraction.trim_end_matches('0'))
    }
}

/// Encodes records as "LENGTH KEY=VALUE\n", one after another.
pub(super) fn encode(records: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut data = Vec::new();
    for (key, value) in records {
        // The length includes its own digits.
        let rest = key.len() + value.len() + 3;
        let mut len = rest;
        while len != rest + len.to_string().len() {
            len = rest + len.to_string().len();
        }
        data.extend(format!("{len} ").bytes());
        data.extend(key);
        data.push(b'=');
        data.extend(value);
        data.push(b'\n');
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_include_their_own_digits() {
        for len in 0..1100 {
            let data = encode(&[(b"key".to_vec(), vec![b'v'; len])]);
            let said = data.split(|byte| *byte == b' ').next().expect("a length");
            assert_eq!(String::from_utf8_lossy(said), data.len().to_string());
        }
    }

    #[test]
    fn times_are_formatted_like_gnu_tar() {
        for (seconds, nanoseconds, text) in [
            (1_600_000_000, 123_456_789, "1600000000.123456789"),
            (7, 500_000_000, "7.5"),
            (-1000, 0, "-1000"),
            (-2, 500_000_000, "-1.5"),
            (-1, 1, "-0.999999999"),
            (i64::MIN, 0, "-9223372036854775808"),
        ] {
            assert_eq!(Time { seconds, nanoseconds }.to_string(), text);
        }
    }
}
