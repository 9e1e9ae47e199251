//! How guest memory is divided: regions, pages, clusters.

use crate::batch::check_page_size;
use crate::error::Error;

/// The most regions that a snapshot has.
pub(crate) const MAX_REGIONS: usize = 4096;
/// The most pages of a cluster: one bit each.
const MAX_CLUSTER_PAGES: usize = 64;
/// More memory than any guest has.
const MAX_LEN: u64 = 1 << 52;

/// A range of guest addresses with memory behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The guest's address of its first byte.
    pub address: u64,
    /// Bytes.
    pub len: u64,
}

/// The regions of a guest's memory, in the order of their addresses, and how they are divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    regions: Vec<Region>,
    page_size: usize,
    cluster_size: usize,
    /// For each region, its first cluster's number; then the number of clusters.
    first_clusters: Vec<u64>,
}

impl Layout {
    /// Bytes of a cluster if nothing else is said.
    pub const CLUSTER_SIZE: usize = 16 << 10;

    /// Pages of 4096 bytes, clusters of 16 KiB.
    ///
    /// # Errors
    ///
    /// As for [`with_sizes`](Self::with_sizes).
    pub fn new(regions: Vec<Region>) -> Result<Self, Error> {
        Self::with_sizes(regions, 4096, Self::CLUSTER_SIZE)
    }

    /// A layout with other sizes: what is compressed and read at once is a cluster, what is left out
    /// if it is zero is a page.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`] unless there are 1 to 4096 regions of whole pages, in the order of
    /// their addresses and beside each other; the page size is a power of two from 4 to 64
    /// KiB; and clusters are of 1, 2, 4 and so on up to 64 pages.
    pub fn with_sizes(
        regions: Vec<Region>,
        page_size: usize,
        cluster_size: usize,
    ) -> Result<Self, Error> {
        let wrong = |why: String| Err(Error::Layout(why));
        if let Err(error) = check_page_size(page_size) {
            return wrong(error.to_string());
        }
        let pages = cluster_size / page_size;
        if !pages.is_power_of_two()
            || pages > MAX_CLUSTER_PAGES
            || !cluster_size.is_multiple_of(page_size)
        {
            return wrong(format!("clusters of {cluster_size} bytes are not of 1 to 64 pages"));
        }
        if regions.is_empty() || regions.len() > MAX_REGIONS {
            return wrong(format!("{} regions are not 1 to {MAX_REGIONS}", regions.len()));
        }
        let mut first_clusters = vec![0];
        let (mut end, mut clusters, mut total) = (0, 0, 0_u64);
        for Region { address, len } in &regions {
            let pages = len.is_multiple_of(page_size as u64)
                && address.is_multiple_of(page_size as u64)
                && *len > 0;
            let Some(after) = address.checked_add(*len).filter(|_| pages && *address >= end) else {
                return wrong(format!(
                    "a region of {len:#x} bytes at {address:#x} is not of whole pages, or not behind the one before"
                ));
            };
            end = after;
            total = total.saturating_add(*len);
            clusters += len.div_ceil(cluster_size as u64);
            first_clusters.push(clusters);
        }
        if total > MAX_LEN {
            return wrong(format!("{total} bytes are more than any guest has"));
        }
        Ok(Self { regions, page_size, cluster_size, first_clusters })
    }

    /// The regions.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Bytes of a page.
    #[must_use]
    pub const fn page_size(&self) -> usize {
        self.page_size
    }

    /// Bytes of a cluster.
    #[must_use]
    pub const fn cluster_size(&self) -> usize {
        self.cluster_size
    }

    /// Bytes of all regions.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.regions.iter().map(|region| region.len).sum()
    }

    /// Whether there is no memory, which no layout is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }

    /// The number of clusters, over all regions.
    #[must_use]
    pub fn clusters(&self) -> u64 {
        self.first_clusters.last().copied().unwrap_or_default()
    }

    /// Where a cluster is; `None` behind the last one.
    pub(crate) fn place(&self, cluster: u64) -> Option<Place> {
        let region =
            self.first_clusters.partition_point(|first| *first <= cluster).checked_sub(1)?;
        let Region { address, len } = *self.regions.get(region)?;
        let offset = (cluster - self.first_clusters[region]) * self.cluster_size as u64;
        let len = (len - offset).min(self.cluster_size as u64);
        Some(Place { region, offset, address: address + offset, len: len as usize })
    }

    /// The cluster of a guest address, and the page's number in it; `None` where there is no
    /// memory.
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

/// Where a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The region's number.
    pub(crate) region: usize,
    /// Where in the region it begins.
    pub(crate) offset: u64,
    /// The guest's address of that.
    pub(crate) address: u64,
    /// Its length, which at the end of a region may be less than the others'.
    pub(crate) len: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(address: u64, len: u64) -> Region {
        Region { address, len }
    }

    #[test]
    fn clusters_and_addresses_belong_together() {
        let regions = vec![region(0, 5 * 4096), region(1 << 32, 8 * 4096)];
        let layout = Layout::new(regions).expect("a layout");
        assert_eq!(layout.clusters(), 4);
        let place = Place { region: 0, offset: 16384, address: 16384, len: 4096 };
        assert_eq!(layout.place(1), Some(place));
        let place = Place { region: 1, offset: 0, address: 1 << 32, len: 16384 };
        assert_eq!(layout.place(2), Some(place));
        assert_eq!(layout.place(4), None);
        assert_eq!(layout.find((1 << 32) + 5 * 4096 + 7), Some((3, 1)));
        assert_eq!(layout.find(5 * 4096), None);
        assert_eq!(layout.find((1 << 32) + 8 * 4096), None);
    }

    #[test]
    fn what_no_guest_has_is_refused() {
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
