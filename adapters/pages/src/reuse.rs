//! Vectors that keep their allocation while what they borrow changes.

/// Empties a vector and returns its allocation as a vector with another lifetime.
///
/// `Vec<Block<'a>>` can't be kept between batches, as `'a` ends with each. Collecting from a
/// vector's own iterator into elements of the same layout reuses its allocation (`std::vec`,
/// "in-place iteration"). If a compiler didn't do that, the cost would be an allocation, which a
/// test would notice.
pub(crate) fn reuse<A, B>(mut vector: Vec<A>) -> Vec<B> {
    const { assert!(size_of::<A>() == size_of::<B>() && align_of::<A>() == align_of::<B>()) };
    vector.clear();
    vector.into_iter().map_while(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use super::reuse;

    #[test]
    fn the_allocation_stays() {
        let vector: Vec<&str> = Vec::with_capacity(100);
        let address = vector.as_ptr().addr();
        let vector: Vec<&[u8]> = reuse(vector);
        assert_eq!((vector.as_ptr().addr(), vector.capacity(), vector.len()), (address, 100, 0));
    }
}
