//! Pipes, and resuming after an interruption.

use uadk_compress_pages::snapshot::{Progress, StreamReader};
use uadk_compress_pages::{Error, ZeroPages};

use crate::guest::Memory;
use crate::{FORMATS, snapshot, snapshot_in};

#[test]
fn a_stream_is_restored_and_checked_to_its_end() {
    let memory = Memory::guest_like(1000);
    for format in FORMATS {
        let file = snapshot_in(format, &memory);
        let restored = Memory::guest_like(1000);
        restored.ram().write(0, &[1; 4096]).expect("in range");
        let mut reader = StreamReader::new(&file[..]).expect("a header");
        let mut progress = Progress::default();
        let ram = [restored.ram()];
        reader.restore(&ram[..], ZeroPages::Write, &mut progress, &mut |_, _| {}).expect("intact");
        assert!(restored.bytes() == memory.bytes(), "{format}");
        assert_eq!((progress.pages, progress.file), (750, file.len() as u64));
    }
}

#[test]
fn an_interrupted_reader_resumes_where_it_was() {
    let memory = Memory::guest_like(2000);
    let file = snapshot(&memory);
    for cut in [file.len() / 3, file.len() / 2, file.len() - 1] {
        let restored = Memory::guest_like(2000);
        let ram = [restored.ram()];
        let mut progress = Progress::default();
        let mut reader = StreamReader::new(&file[..cut]).expect("a header");
        let mut position = reader.position().expect("between groups");
        let interrupted =
            reader.restore(&ram[..], ZeroPages::Write, &mut progress, &mut |_, at| {
                position = at.clone();
            });
        assert!(matches!(interrupted, Err(Error::Incomplete)));
        let rest = &file[position.offset() as usize..];
        assert!(rest.len() < file.len(), "part of it was read");
        let mut reader = StreamReader::resume(rest, position).expect("a codec");
        reader.restore(&ram[..], ZeroPages::Write, &mut progress, &mut |_, _| {}).expect("intact");
        assert!(restored.bytes() == memory.bytes(), "{cut}");
    }
}
