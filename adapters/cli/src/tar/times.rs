//! Parses dates, and prints times in listings.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::MetadataExt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Seconds since 1970, and nanoseconds.
pub(super) type Time = (i64, u32);

/// Parses a date like `date -d`. A text that starts with `/` or `.` is a file whose time is used.
pub(super) fn parse(text: &str) -> Result<Time, String> {
    if text.starts_with(['/', '.']) {
        let metadata = fs::metadata(text).map_err(|error| format!("{text}: {error}"))?;
        return Ok((metadata.mtime(), u32::try_from(metadata.mtime_nsec()).unwrap_or(0)));
    }
    let time = parse_datetime::parse_datetime(text)
        .map_err(|_| format!("invalid date \"{text}\": try 2026-01-31 13:00 or @1700000000"))?;
    let nanoseconds = time.subsec_nanosecond().max(0).cast_unsigned();
    Ok((time.unix_epoch_second(), nanoseconds))
}

/// How times are printed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Format {
    /// In UTC instead of local time.
    pub(super) utc: bool,
    /// With seconds and fractions.
    pub(super) full: bool,
}

/// Adds "2026-11-24 06:33".
pub(super) fn push(line: &mut String, (seconds, nanoseconds): Time, format: Format) {
    let Ok(time) = Timestamp::from_second(seconds) else {
        // Beyond the year 9999: the number, as in GNU tar.
        let _ = write!(line, "{seconds}");
        return;
    };
    let zone = if format.utc { TimeZone::UTC } else { TimeZone::system() };
    let time = time.to_zoned(zone);
    let _ = write!(line, "{}", time.strftime("%Y-%m-%d %H:%M"));
    if format.full {
        let _ = write!(line, "{}", time.strftime(":%S"));
        if nanoseconds > 0 {
            let fraction = format!("{nanoseconds:09}");
            let _ = write!(line, ".{}", fraction.trim_end_matches('0'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00"),
            (951_782_400, "2000-02-29 00:00"),
            (1_700_000_000, "2023-11-14 22:13"),
            (-1, "1969-12-31 23:59"),
        ] {
            let mut line = String::new();
            push(&mut line, (seconds, 0), Format { utc: true, full: false });
            assert_eq!(line, text);
        }
    }

    #[test]
    fn dates_are_parsed() {
        assert_eq!(parse("@1700000000.5"), Ok((1_700_000_000, 500_000_000)));
        assert_eq!(parse("2000-02-29 00:00 UTC"), Ok((951_782_400, 0)));
        assert!(parse("not a date").is_err());
        assert!(parse("/nowhere/at/all").is_err());
    }
}
