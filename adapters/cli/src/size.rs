//! Sizes in bytes, as people write them.

/// Parses "4096", "4K", "16KiB", "64M", "1G". K is 1024.
pub(crate) fn parse(text: &str) -> Result<usize, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        _ => return Err(format!("unknown unit {unit:?}: use K, M or G")),
    };
    let number: usize =
        number.parse().map_err(|_| "expected a number and a unit, such as 16K".to_owned())?;
    number
        .checked_mul(1 << shift)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "zero or too large".to_owned())
}

/// Parses the size of a page.
pub(crate) fn parse_page(text: &str) -> Result<usize, String> {
    let bytes = parse(text)?;
    let valid = bytes.is_power_of_two() && (4 << 10..=64 << 10).contains(&bytes);
    if valid { Ok(bytes) } else { Err("must be 4K, 8K, 16K, 32K or 64K".to_owned()) }
}

/// Formats a size in the shortest way.
pub(crate) fn display(bytes: usize) -> String {
    for (shift, unit) in [(30, "G"), (20, "M"), (10, "K")] {
        if bytes >= 1 << shift && bytes.is_multiple_of(1 << shift) {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::{display, parse};

    #[test]
    fn units_are_powers_of_1024() {
        for (text, bytes) in [
            ("1", 1),
            ("4096", 4096),
            ("4K", 4096),
            ("4k", 4096),
            ("64MiB", 64 << 20),
            ("1G", 1 << 30),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn other_text_is_refused_with_a_hint() {
        for text in ["", "K", "4X", "-1", "0", "1.5K", "99999999999999999999", "99999999999999G"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("4X").unwrap_err().contains("\"X\""));
    }

    #[test]
    fn displayed_sizes_are_parsed_back() {
        for bytes in [1, 1000, 1024, 4096, 1536, 1 << 20, 3 << 30] {
            assert_eq!(parse(&display(bytes)), Ok(bytes));
        }
        assert_eq!(display(16384), "16K");
    }
}
