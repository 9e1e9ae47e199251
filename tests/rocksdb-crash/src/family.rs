//! The column families.

/// A column family, always compressed under the same schema.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    /// Whether any RocksDB can read it.
    pub(crate) is_stock: bool,
}

/// All column families. Operations name them by their position.
pub(crate) const FAMILIES: [Family; 3] = [
    Family { name: "default", is_stock: true },
    Family { name: "archive", is_stock: true },
    Family { name: "custom", is_stock: false },
];

/// Returns the positions of the families that any RocksDB can read.
pub(crate) fn stock() -> Vec<usize> {
    (0..FAMILIES.len()).filter(|family| FAMILIES[*family].is_stock).collect()
}

/// Returns the positions of all families.
pub(crate) fn all() -> Vec<usize> {
    (0..FAMILIES.len()).collect()
}
