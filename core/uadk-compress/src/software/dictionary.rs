//! Dictionaries in the form that the codecs use, made once and shared by all threads.

use std::fmt::{Debug, Formatter};
use std::sync::{Arc, OnceLock};

use zstd_safe::{CDict, DDict};

use super::{lz4, zstd};
use crate::{Dictionary, Error, Format, Level};

/// The first bytes of a trained zstd dictionary (RFC 8878, section 5).
const TRAINED: [u8; 4] = 0xec30_a437_u32.to_le_bytes();

/// A dictionary, and its digested forms, made at their first use.
pub(super) struct Digested {
    dictionary: Dictionary,
    level: Level,
    encoder: Encoder,
    /// Does not depend on the level.
    decoder: Arc<OnceLock<Option<DDict<'static>>>>,
}

enum Encoder {
    Zstd(OnceLock<Option<CDict<'static>>>),
    Lz4(OnceLock<Option<lz4::Dictionary>>),
}

impl Digested {
    /// Prepares `dictionary` for blocks of `format`.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for formats without dictionaries, and for a trained zstd dictionary
    /// that is damaged.
    pub(super) fn new(dictionary: Dictionary, format: Format, level: Level) -> Result<Self, Error> {
        let encoder = match format {
            Format::Zstd => Encoder::Zstd(OnceLock::new()),
            Format::Lz4 => Encoder::Lz4(OnceLock::new()),
            _ => return Err(Error::Unsupported(format!("a dictionary for {format}").into())),
        };
        let digested = Self { dictionary, level, encoder, decoder: Arc::default() };
        // Raw content always works.
        if format == Format::Zstd && digested.bytes().starts_with(&TRAINED) {
            digested.zstd_decoder()?;
        }
        Ok(digested)
    }

    /// Returns the same dictionary for another level.
    pub(super) fn with_level(&self, level: Level) -> Self {
        let encoder = match self.encoder {
            Encoder::Zstd(_) => Encoder::Zstd(OnceLock::new()),
            Encoder::Lz4(_) => Encoder::Lz4(OnceLock::new()),
        };
        let (dictionary, decoder) = (self.dictionary.clone(), Arc::clone(&self.decoder));
        Self { dictionary, level, encoder, decoder }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.dictionary.as_bytes()
    }

    /// Returns the form that libzstd compresses with.
    pub(super) fn zstd_encoder(&self) -> Result<&CDict<'static>, Error> {
        let Encoder::Zstd(encoder) = &self.encoder else { return Err(unusable()) };
        let digest = || zstd::encoder(self.bytes(), self.level);
        encoder.get_or_init(digest).as_ref().ok_or_else(unusable)
    }

    /// Returns the form that libzstd decompresses with.
    pub(super) fn zstd_decoder(&self) -> Result<&DDict<'static>, Error> {
        let digest = || zstd::decoder(self.bytes());
        self.decoder.get_or_init(digest).as_ref().ok_or_else(unusable)
    }

    /// Returns the form that LZ4 compresses with.
    pub(super) fn lz4_encoder(&self) -> Result<&lz4::Dictionary, Error> {
        let Encoder::Lz4(encoder) = &self.encoder else { return Err(unusable()) };
        let digest = || lz4::Dictionary::new(self.dictionary.clone(), self.level);
        encoder.get_or_init(digest).as_ref().ok_or_else(unusable)
    }
}

fn unusable() -> Error {
    Error::Unsupported("a damaged dictionary, or too little memory for it".into())
}

impl PartialEq for Digested {
    fn eq(&self, other: &Self) -> bool {
        (&self.dictionary, self.level) == (&other.dictionary, other.level)
    }
}

impl Eq for Digested {}

impl Debug for Digested {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Digested").field(&format_args!("{} bytes", self.bytes().len())).finish()
    }
}
