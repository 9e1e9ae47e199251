//! What is wrong with a command line.

/// An error of a command line, with the text that says so.
#[derive(Debug)]
pub(super) enum Usage {
    /// An option that is not known or lacks its argument.
    Option(String),
    /// Options that make no sense.
    Meaning(String),
}

impl Usage {
    pub(super) fn meaning(text: impl Into<String>) -> Self {
        Self::Meaning(text.into())
    }
}
