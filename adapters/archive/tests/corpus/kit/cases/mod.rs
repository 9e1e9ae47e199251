//! The corpus: archives with one oddity each, between sound entries.

mod ends;
mod globals;
mod headers;
mod links;
mod long_names;
mod pax;
mod records;
mod sparse;
mod types;

/// An archive and what is odd about it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) tar: Vec<u8>,
}

impl Case {
    fn new(name: impl Into<String>, tar: Vec<u8>) -> Self {
        Self { name: name.into(), tar }
    }
}

/// Returns all cases, always in the same order.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    headers::add(&mut cases);
    pax::add(&mut cases);
    records::add(&mut cases);
    sparse::add(&mut cases);
    types::add(&mut cases);
    globals::add(&mut cases);
    long_names::add(&mut cases);
    links::add(&mut cases);
    ends::add(&mut cases);
    cases
}
