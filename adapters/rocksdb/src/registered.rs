//! The compressors that are registered in this process, by name.

use std::collections::HashMap;
use std::sync::LazyLock;

use parking_lot::Mutex;

use crate::Schema;
use crate::codec::Codecs;

static REGISTERED: LazyLock<Mutex<HashMap<String, (Codecs, Schema)>>> =
    LazyLock::new(Mutex::default);

/// Registers codecs under the schema's names, replacing earlier ones, and returns `true`. Calls
/// `announce` first for each name that is new; if that fails, registers nothing and returns
/// `false`.
pub(crate) fn insert(codecs: Codecs, schema: Schema, announce: impl Fn(&str) -> bool) -> bool {
    let mut registered = REGISTERED.lock();
    let mut new = schema.names().into_iter().filter(|name| !registered.contains_key(*name));
    if !new.all(announce) {
        return false;
    }
    let names: Vec<_> = schema.names().into_iter().map(str::to_owned).collect();
    let entry = (codecs, schema);
    let replaced: Vec<_> =
        names.into_iter().map(|name| registered.insert(name, entry.clone())).collect();
    drop(registered);
    // Outside the lock: dropping a user's compressor may run any code, even register another.
    drop(replaced);
    true
}

/// Returns the codecs registered as `name`.
pub(crate) fn find(name: &str) -> Option<(Codecs, Schema)> {
    REGISTERED.lock().get(name).cloned()
}
