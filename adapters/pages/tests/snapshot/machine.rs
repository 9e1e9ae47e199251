//! Guest memory of `vm-memory`.

use uadk_compress_pages::ZeroPages;
use uadk_compress_pages::snapshot::{
    Chain, Pages, RestoreOptions, SaveOptions, Snapshot, VmMemory, restore, save,
};
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

use crate::codec;
use crate::guest::fill;

#[test]
fn memory_of_a_virtual_machine_monitor_is_saved_and_restored() {
    let ranges = [(GuestAddress(0), 1 << 20), (GuestAddress(1 << 32), 3 << 20)];
    let machine = GuestMemoryMmap::<()>::from_ranges(&ranges).expect("mapped");
    let addresses = || {
        let (low, high) = ((0_u64..1 << 20), (1_u64 << 32..(1 << 32) + (3 << 20)));
        low.chain(high).step_by(4096)
    };
    let mut page = [0; 4096];
    for address in addresses() {
        fill(&mut page, address >> 12);
        machine.write_slice(&page, GuestAddress(address)).expect("mapped");
    }
    let memory = VmMemory::new(&machine).expect("a layout");
    let mut file = Vec::new();
    let options = SaveOptions::default();
    save(&mut file, memory.layout(), &memory, Pages::All, &codec(), &options, &mut |_| {})
        .expect("saved");
    let chain = Chain::new(vec![Snapshot::open(&file[..]).expect("intact")]).expect("a base");
    for zero_pages in [ZeroPages::Write, ZeroPages::Fresh] {
        let restored = GuestMemoryMmap::<()>::from_ranges(&ranges).expect("mapped");
        if zero_pages == ZeroPages::Write {
            restored.write_slice(&[7; 4096], GuestAddress(0)).expect("mapped");
        }
        let memory = VmMemory::new(&restored).expect("a layout");
        let options = RestoreOptions::default().zero_pages(zero_pages);
        restore(&chain, &memory, &options, &mut |_| {}).expect("restored");
        for address in addresses() {
            let mut got = [0; 4096];
            restored.read_slice(&mut got, GuestAddress(address)).expect("mapped");
            fill(&mut page, address >> 12);
            assert!(got == page, "{address:#x}");
        }
    }
}
