//! Pages that change between rounds.

use crate::guest::{Memory, all_settings, receive, stream};

#[test]
fn pages_that_turn_zero_between_rounds_end_up_zero() {
    for settings in all_settings() {
        let memory = Memory::guest_like(64);
        let stream = stream(&settings, |sender| {
            sender.send("ram", &memory.ram(), &memory.offsets())?;
            sender.sync()?;
            memory.ram().clear(0, 32 * 4096).expect("in range");
            memory.ram().write(40 * 4096, &[9; 4096]).expect("in range");
            sender.send("ram", &memory.ram(), &memory.offsets())?;
            sender.sync()
        });
        let arrived = Memory::new(64);
        receive(&stream, &settings, &arrived).expect("intact");
        assert!(arrived.bytes() == memory.bytes(), "{settings:?}");
    }
}
