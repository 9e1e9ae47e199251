//! Damage is found and located; intact parts stay readable.

use uadk_compress::Format;
use uadk_compress_pages::snapshot::{
    Chain, Part, Progress, RestoreOptions, Snapshot, StreamReader, restore, verify,
};
use uadk_compress_pages::{Error, ZeroPages};

use crate::guest::{Memory, PAGE};
use crate::{FORMATS, snapshot, snapshot_in};

const PAGES: usize = 16;

#[test]
fn a_flipped_bit_anywhere_is_found_and_located() {
    let memory = Memory::guest_like(PAGES);
    for format in FORMATS {
        let file = snapshot_in(format, &memory);
        assert!(verify(&file[..], &mut |_| {}).expect("intact").damage.is_empty());
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << (at % 8);
            let offset = match verify(&damaged[..], &mut |_| {}) {
                Ok(verified) => match &verified.damage[..] {
                    [damage] => damage.offset,
                    others => panic!("{format}, byte {at}: {others:?}"),
                },
                Err(Error::Damaged(damage)) => damage.offset,
                // Damage to the magic or the version.
                Err(Error::NotASnapshot) if at < 8 => 0,
                Err(Error::Version(_)) if (8..12).contains(&at) => 0,
                Err(other) => panic!("{format}, byte {at}: {other}"),
            };
            let distance = at as u64 - offset;
            assert!(distance < 16384, "{format}, byte {at} was reported at {offset}");
        }
    }
}

#[test]
fn a_damaged_cluster_is_named_by_its_guest_address() {
    for format in FORMATS {
        names_the_damaged_cluster(format);
    }
}

fn names_the_damaged_cluster(format: Format) {
    let memory = Memory::guest_like(PAGES);
    let mut file = snapshot_in(format, &memory);
    // Noise, which is stored uncompressed.
    let noise = &memory.bytes()[7 * PAGE..][..64];
    let at = file.windows(64).position(|bytes| bytes == noise);
    let at = at.unwrap_or(file.len() / 2);
    file[at] ^= 1;
    let damage = verify(&file[..], &mut |_| {}).expect("it opens").damage;
    let [damage] = &damage[..] else { panic!("{damage:?}") };
    let Part::Cluster { address, len } = damage.part else { panic!("{damage}") };
    assert!(damage.to_string().contains(&format!("{address:#x}")), "{damage}");

    let chain = Chain::new(vec![Snapshot::open(&file[..]).expect("it opens")]).expect("a base");
    let restored = Memory::new(PAGES);
    let ram = [restored.ram()];
    let options = RestoreOptions::default();
    let refused = restore(&chain, &ram[..], &options, &mut |_| {}).unwrap_err();
    assert!(matches!(refused, Error::Damaged(_)), "{refused}");
    let partial = restore(&chain, &ram[..], &options.partial(true), &mut |_| {}).expect("the rest");
    assert_eq!(partial.damage.iter().collect::<Vec<_>>(), [damage]);
    let (before, after) = (address as usize, (address + len) as usize);
    assert!(restored.bytes()[..before] == memory.bytes()[..before]);
    assert!(restored.bytes()[after..] == memory.bytes()[after..]);
    assert!(matches!(chain.pages().read(address + 2 * 4096), Err(Error::Damaged(_))));
}

#[test]
fn only_the_whole_file_reads_as_complete() {
    let memory = Memory::guest_like(PAGES);
    let file = snapshot(&memory);
    for len in 0..file.len() {
        let opened = Snapshot::open(&file[..len]).map(|_| ());
        assert!(matches!(opened, Err(Error::Incomplete)), "{len}: {opened:?}");
        let verified = verify(&file[..len], &mut |_| {}).map(|_| ());
        assert!(matches!(verified, Err(Error::Incomplete)), "{len}: {verified:?}");
    }
    let longer = [&file[..], &[0; 100]].concat();
    assert!(Snapshot::open(&longer[..]).is_err());
    let twice = [&file[..], &file[..]].concat();
    assert!(Snapshot::open(&twice[..]).is_err());
}

#[test]
fn the_intact_part_of_a_truncated_file_is_restored() {
    let memory = Memory::guest_like(PAGES);
    let (file, bytes) = (snapshot(&memory), memory.bytes());
    let mut most = 0;
    for len in (0..file.len()).step_by(97) {
        let restored = Memory::new(PAGES);
        let mut progress = Progress::default();
        let result = StreamReader::new(&file[..len]).and_then(|mut reader| {
            let ram = [restored.ram()];
            reader.restore(&ram[..], ZeroPages::Fresh, &mut progress, &mut |_, _| {})
        });
        assert!(matches!(result, Err(Error::Incomplete)), "{len}");
        let mut pages = 0;
        for (number, page) in restored.bytes().chunks(PAGE).enumerate() {
            if page != [0; PAGE] {
                assert!(*page == bytes[number * PAGE..][..PAGE], "page {number}");
                pages += 1;
            }
        }
        assert_eq!(progress.pages, pages);
        most = most.max(pages);
    }
    assert_eq!(most, 12, "all pages except zero pages");
}
