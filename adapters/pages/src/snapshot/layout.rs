//! How guest memory is divided: regions, pages, clusters.

use crate::batch::check_page_size;
use crate::error::Error;

/// The maximum number of regions in a snapshot.
pub(crate) const MAX_REGIONS: usize = 4096;
/// The maximum number of pages in a cluster: one bit each.
const MAX_CLUSTER_PAGES: usize = 64;
/// The maximum length of all regions: more memory than any guest has.
const MAX_LEN: u64 = 1 << 52;

/// A range of guest addresses that is backed by memory.
///
/// ```
/// use uadk_compress_pages::snapshot::{Layout, Region};
///
/// // A PC's memory: 3 GiB at the bottom, the rest above 4 GiB.
/// let low = Region { address: 0, len: 3 << 30 };
/// let high = Region { address: 4 << 30, len: 5 << 30 };
/// assert_eq!(Layout::new(vec![low, high])?.len(), 8 << 30);
/// assert!(Layout::new(vec![high, low]).is_err(), "not in the order of their addresses");
/// # Ok::<(), uadk_compress_pages::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The guest address of its first byte.
    pub address: u64,
    /// Its length in bytes.
    pub len: u64,
}

/// The regions of a guest's memory, in the order of their addresses, and how they are divided.
///
/// ```
/// use uadk_compress_pages::snapshot::{Layout, Region};
///
/// let region = Region { address: 0, len: 1 << 30 };
/// let layout = Layout::new(vec![region])?;
/// assert_eq!((layout.page_size(), layout.cluster_size()), (4096, Layout::CLUSTER_SIZE));
///
/// let layout = Layout::with_sizes(vec![region], 4096, 64 << 10)?;
/// assert_eq!(layout.clusters(), (1 << 30) / (64 << 10));
/// assert_eq!(layout.regions(), [region]);
/// # Ok::<(), uadk_compress_pages::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    regions: Vec<Region>,
    page_size: usize,
    cluster_size: usize,
    /// The number of each region's first cluster; then the number of clusters.
    first_clusters: Vec<u64>,
}

impl Layout {
    /// The default cluster size in bytes.
    pub const CLUSTER_SIZE: usize = 16 << 10;

    /// Creates a layout with pages of 4096 bytes and clusters of 16 KiB.
    ///
    /// # Errors
    ///
    /// As for [`with_sizes`](Self::with_sizes).
    pub fn new(regions: Vec<Region>) -> Result<Self, Error> {
        Self::with_sizes(regions, 4096, Self::CLUSTER_SIZE)
    }

    /// Creates a layout with other sizes. Clusters are compressed and read as a whole; pages are
    /// left out if they are zero.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`] unless there are 1 to 4096 regions of whole pages, in the order of their
    /// addresses and not overlapping; the page size is a power of two from 4 to 64 KiB; and
    /// clusters have 1, 2, 4, 8, 16, 32 or 64 pages.
    pub fn with_sizes(
        regions: Vec<Region>,
        page_size: usize,
        cluster_size: usize,
    ) -> Result<Self, Error> {
        let invalid = |reason: String| Err(Error::Layout(reason));
        if let Err(error) = check_page_size(page_size) {
            return invalid(error.to_string());
        }
        let pages = cluster_size / page_size;
        if !pages.is_power_of_two()
            || pages > MAX_CLUSTER_PAGES
            || !cluster_size.is_multiple_of(page_size)
        {
            return invalid(format!(
                "invalid cluster size {cluster_size}: must be a power of two from 1 to \
                 {MAX_CLUSTER_PAGES} pages"
            ));
        }
        if regions.is_empty() || regions.len() > MAX_REGIONS {
            return invalid(format!("{} regions (must be 1 to {MAX_REGIONS})", regions.len()));
        }
        let mut first_clusters = vec![0];
        let (mut end, mut clusters, mut total) = (0, 0, 0_u64);
        for Region { address, len } in &regions {
            let pages = len.is_multiple_of(page_size as u64)
                && address.is_multiple_of(page_size as u64)
                && *len > 0;
            let Some(after) = address.checked_add(*len).filter(|_| pages && *address >= end) else {
                return invalid(format!(
                    "the region of {len:#x} bytes at {address:#x} does not consist of whole pages, \
                     or does not follow the one before"
                ));
            };
            end = after;
            total = total.saturating_add(*len);
            clusters += len.div_ceil(cluster_size as u64);
            first_clusters.push(clusters);
        }
        if total > MAX_LEN {
            return invalid(format!("{total} bytes (must be at most {MAX_LEN})"));
        }
        Ok(Self { regions, page_size, cluster_size, first_clusters })
    }

    /// Returns the regions.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Returns the page size in bytes.
    #[must_use]
    pub const fn page_size(&self) -> usize {
        self.page_size
    }

    /// Returns the cluster size in bytes.
    #[must_use]
    pub const fn cluster_size(&self) -> usize {
        self.cluster_size
    }

    /// Returns the total length of all regions.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.regions.iter().map(|region| region.len).sum()
    }

    /// Returns whether there is no memory, which is never the case.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }

    /// Returns the number of clusters, over all regions.
    #[must_use]
    pub fn clusters(&self) -> u64 {
        self.first_clusters.last().copied().unwrap_or_default()
    }

    /// Returns the memory that a cluster covers; `None` after the last cluster.
    pub(crate) fn span(&self, cluster: u64) -> Option<Span> {
        let region =
            self.first_clusters.partition_point(|first| *first <= cluster).checked_sub(1)?;
        let Region { address, len } = *self.regions.get(region)?;
        let offset = (cluster - self.first_clusters[region]) * self.cluster_size as u64;
        let len = (len - offset).min(self.cluster_size as u64);
        Some(Span { region, offset, address: address + offset, len: len as usize })
    }

    /// Returns the cluster of a guest address, and the page's number in it; `None` where there is
    /// no memory.
    pub(crate) fn find(&self, address: u64) -> Option<(u64, usize)> {
        let region = self.regions.partition_point(|region| region.address <= address);
        let region = region.checked_sub(1)?;
        let offset = address - self.regions[region].address;
        if offset >= self.regions[region].len {
            return None;
        }
        let cluster = self.first_clusters[region] + offset / self.cluster_size as u64;
        let within = offset % self.cluster_size as u64;
        Some((cluster, within as usize / self.page_size))
    }
}

/// The memory that a cluster covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The region's number.
    pub(crate) region: usize,
    /// Its offset in the region.
    pub(crate) offset: u64,
    /// Its guest address.
    pub(crate) address: u64,
    /// Its length; the last span of a region may be shorter than the others.
    pub(crate) len: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(address: u64, len: u64) -> Region {
        Region { address, len }
    }

    #[test]
    fn clusters_and_addresses_match() {
        let regions = vec![region(0, 5 * 4096), region(1 << 32, 8 * 4096)];
        let layout = Layout::new(regions).expect("a layout");
        assert_eq!(layout.clusters(), 4);
        let span = Span { region: 0, offset: 16384, address: 16384, len: 4096 };
        assert_eq!(layout.span(1), Some(span));
        let span = Span { region: 1, offset: 0, address: 1 << 32, len: 16384 };
        assert_eq!(layout.span(2), Some(span));
        assert_eq!(layout.span(4), None);
        assert_eq!(layout.find((1 << 32) + 5 * 4096 + 7), Some((3, 1)));
        assert_eq!(layout.find(5 * 4096), None);
        assert_eq!(layout.find((1 << 32) + 8 * 4096), None);
    }

    #[test]
    fn impossible_layouts_are_refused() {
        for regions in [
            vec![],
            vec![region(0, 0)],
            vec![region(0, 100)],
            vec![region(7, 4096)],
            vec![region(0, 8192), region(4096, 8192)],
            vec![region(u64::MAX - 4095, 8192)],
            vec![region(0, 1 << 53)],
        ] {
            assert!(Layout::new(regions.clone()).is_err(), "{regions:?}");
        }
        for (page, cluster) in [(4096, 0), (4096, 4095), (4096, 12288), (4096, 65 * 4096), (0, 0)] {
            let layout = Layout::with_sizes(vec![region(0, 8192)], page, cluster);
            assert!(layout.is_err(), "{page} {cluster}");
        }
    }
}
