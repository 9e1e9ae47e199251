//! The compressors that are registered in this process, by name.

use std::collections::HashMap;
use std::sync::LazyLock;

use parking_lot::Mutex;

use crate::Schema;
use crate::codec::Codec;

static REGISTERED: LazyLock<Mutex<HashMap<String, (Codec, Schema)>>> =
    LazyLock::new(Mutex::default);

/// Registers a codec under the schema's name, replacing an earlier one, and returns `true`. If the
/// name is new, calls `announce` first; if that fails, registers nothing and returns `false`.
pub(crate) fn insert(codec: Codec, schema: Schema, announce: impl FnOnce(&Schema) -> bool) -> bool {
    let mut registered = REGISTERED.lock();
    if !registered.contains_key(schema.name()) && !announce(&schema) {
        return false;
    }
    let replaced = registered.insert(schema.name().to_owned(), (codec, schema));
    drop(registered);
    // Outside the lock: dropping a user's compressor may run any code, even register another.
    drop(replaced);
    true
}

/// Returns the codec registered as `name`.
pub(crate) fn find(name: &str) -> Option<(Codec, Schema)> {
    REGISTERED.lock().get(name).cloned()
}
