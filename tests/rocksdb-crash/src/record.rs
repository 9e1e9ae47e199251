//! Keys, and values that can be checked: a value depends only on its family, key and version.

use std::fmt;

use rand::{Rng, RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

use crate::random::mix;

/// Keys of each family are numbers below this.
pub(crate) const KEYS: u32 = 1500;

/// The operation that wrote a value. No two operations of a run that write to the same key have the
/// same version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) round: u32,
    pub(crate) operation: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {} of round {}", self.operation, self.round)
    }
}

/// Returns the key with a number. Keys are in the order of their numbers.
pub(crate) fn key(number: u32) -> Vec<u8> {
    format!("key {number:08}").into_bytes()
}

/// Returns a key's number; `None` for bytes that are not one of our keys.
pub(crate) fn key_number(bytes: &[u8]) -> Option<u32> {
    let digits = str::from_utf8(bytes).ok()?.strip_prefix("key ")?;
    let number = digits.parse().ok().filter(|number| *number < KEYS)?;
    (key(number) == bytes).then_some(number)
}

/// Returns the value that an operation writes: a line with the version, and up to 4 KiB of text or,
/// in one of eight values, of noise.
pub(crate) fn value(family: usize, key: u32, version: Version) -> Vec<u8> {
    let Version { round, operation } = version;
    let mut value = format!("{round} {operation}\n").into_bytes();
    let numbers = [family as u64, u64::from(key), u64::from(round), u64::from(operation)];
    let mut random = Pcg64Mcg::seed_from_u64(mix(&numbers));
    let len = value.len() + (1 << random.random_range(0..12)) + random.random_range(0..64);
    if random.random_ratio(1, 8) {
        let start = value.len();
        value.resize(len, 0);
        random.fill_bytes(&mut value[start..]);
    } else {
        while value.len() < len {
            value.extend_from_slice(WORDS[random.random_range(0..WORDS.len())]);
        }
        value.truncate(len);
    }
    value
}

/// Returns the version of a value.
///
/// # Errors
///
/// Returns what is wrong with bytes that no operation has written to this key.
pub(crate) fn version(family: usize, key: u32, bytes: &[u8]) -> Result<Version, String> {
    let version = first_line(bytes).ok_or_else(|| {
        format!("the value begins with {:02x?} instead of a version", &bytes[..bytes.len().min(8)])
    })?;
    let right = value(family, key, version);
    if right == bytes {
        return Ok(version);
    }
    let same = right.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    Err(format!(
        "the value of {version} is wrong from byte {same} on ({} bytes, expected {})",
        bytes.len(),
        right.len()
    ))
}

fn first_line(bytes: &[u8]) -> Option<Version> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (round, operation) = str::from_utf8(&bytes[..end]).ok()?.split_once(' ')?;
    Some(Version { round: round.parse().ok()?, operation: operation.parse().ok()? })
}

const WORDS: [&[u8]; 16] = [
    b"block ",
    b"compress ",
    b"compression ",
    b"dictionary ",
    b"flush ",
    b"level ",
    b"log ",
    b"memtable ",
    b"queue ",
    b"recovery ",
    b"table ",
    b"write ",
    b"\0\0\0\0\0\0\0\0",
    b"1024 ",
    b"7f3a",
    b"\n",
];

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: Version = Version { round: 3, operation: 20 };

    #[test]
    fn a_value_has_its_version() {
        for key in 0..100 {
            assert_eq!(version(1, key, &value(1, key, VERSION)), Ok(VERSION));
        }
    }

    #[test]
    fn a_flipped_bit_is_noticed_anywhere() {
        let sound = value(0, 7, VERSION);
        for byte in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[byte] ^= 1;
            assert!(version(0, 7, &damaged).is_err(), "byte {byte}");
        }
    }

    #[test]
    fn a_value_of_another_key_or_family_is_noticed() {
        let value = value(0, 7, VERSION);
        assert!(version(0, 8, &value).is_err());
        assert!(version(1, 7, &value).is_err());
    }

    #[test]
    fn only_our_keys_have_numbers() {
        for number in [0, 1, KEYS - 1] {
            assert_eq!(key_number(&key(number)), Some(number));
        }
        for other in [&b"key 1"[..], b"key 000000007", b"stray", b"key 99999999", b"", b"\xff"] {
            assert_eq!(key_number(other), None);
        }
    }
}
