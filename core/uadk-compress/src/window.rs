//! How far back to look.

/// How far back a match may reach, in KiB.
///
/// Kunpeng's ZIP device has all of them, `block-deflate` all but 24 KiB, of which it uses 16. libdeflate
/// has 32 KiB alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Window {
    K4,
    K8,
    K16,
    K24,
    #[default]
    K32,
}
