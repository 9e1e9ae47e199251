//! Errors in a command line.

/// An error in a command line, with its message.
#[derive(Debug)]
pub(super) enum Usage {
    /// An option that is unknown or lacks its argument.
    Option(String),
    /// Options that make no sense.
    Meaning(String),
}

impl Usage {
    pub(super) fn meaning(text: impl Into<String>) -> Self {
        Self::Meaning(text.into())
    }
}
