//! Copies of the pages of a batch, except for zero pages.

use crate::error::Error;
use crate::memory::GuestRam;

/// The pages of one batch, copied once from guest memory.
#[derive(Debug)]
pub(crate) struct Stage {
    page_size: usize,
    /// Contiguous copies of the pages that are not zero.
    copies: Vec<u8>,
    /// Offsets of the pages that are not zero.
    normal: Vec<u64>,
    /// Offsets of the zero pages.
    zero: Vec<u64>,
    /// Whether each page of the batch is zero.
    is_zero: Vec<bool>,
}

impl Stage {
    pub(crate) fn new(page_size: usize, max_pages: usize) -> Self {
        Self {
            page_size,
            copies: vec![0; page_size * max_pages],
            normal: Vec::with_capacity(max_pages),
            zero: Vec::with_capacity(max_pages),
            is_zero: Vec::with_capacity(max_pages),
        }
    }

    /// Checks the pages at `offsets`, and copies those that are not zero.
    ///
    /// A page that becomes zero between the check and the copy is compressed like any other. A page
    /// that stops being zero after the check still counts as zero.
    pub(crate) fn gather(&mut self, ram: &GuestRam<'_>, offsets: &[u64]) -> Result<(), Error> {
        self.normal.clear();
        self.zero.clear();
        self.is_zero.clear();
        let max = self.copies.len() / self.page_size;
        if offsets.len() > max {
            return Err(Error::TooManyPages { pages: offsets.len(), max });
        }
        for (index, &offset) in offsets.iter().enumerate() {
            let outside = |source| Error::Offset { index, source };
            let zero = ram.is_zero(offset, self.page_size).map_err(outside)?;
            if zero {
                self.zero.push(offset);
            } else {
                let start = self.normal.len() * self.page_size;
                let copy = &mut self.copies[start..start + self.page_size];
                ram.read(offset, copy).map_err(outside)?;
                self.normal.push(offset);
            }
            self.is_zero.push(zero);
        }
        Ok(())
    }

    /// Returns the copies of the pages that are not zero.
    pub(crate) fn pages(&self) -> &[u8] {
        &self.copies[..self.normal.len() * self.page_size]
    }

    pub(crate) fn normal(&self) -> &[u64] {
        &self.normal
    }

    pub(crate) fn zero(&self) -> &[u64] {
        &self.zero
    }

    pub(crate) fn is_zero(&self) -> &[bool] {
        &self.is_zero
    }
}
