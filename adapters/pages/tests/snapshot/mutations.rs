//! The fuzz target's body, with mutated inputs.

use proptest::prelude::*;

use crate::guest::Memory;
use crate::{FORMATS, snapshot_in};

#[path = "../../../../fuzz/bodies/snapshot.rs"]
mod body;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn mutated_snapshots_never_panic_or_write_outside(
        format in 0..FORMATS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        mend in any::<bool>(),
    ) {
        let mut file = snapshot_in(FORMATS[format], &Memory::guest_like(40));
        for (position, byte) in changes {
            let at = position.index(file.len());
            file[at] = byte;
        }
        if mend {
            // With a correct checksum, the damage is found further inside.
            let header = file.len().min(84);
            let crc = libdeflater::crc32(&file[..header - 4]).to_le_bytes();
            file[header - 4..header].copy_from_slice(&crc);
        } else {
            file.truncate(file.len() - cut.index(file.len()) / 4);
        }
        body::run(&file);
    }
}
