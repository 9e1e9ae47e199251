//! The identifiers of snapshots.

/// Formats an identifier in hexadecimal.
pub(super) fn hex(id: &[u8; 16]) -> String {
    use std::fmt::Write;
    id.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
