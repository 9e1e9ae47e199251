//! The last three offsets, which have short codes (RFC 8878, 3.1.1.5).

use core::hint::select_unpredictable;

/// The last offsets, the most recent one first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RepeatOffsets([u32; 3]);

impl RepeatOffsets {
    /// Returns the offsets at the start of a frame.
    pub(crate) const fn new() -> Self {
        Self([1, 4, 8])
    }

    /// Returns the number that stands for an offset, at least 1, after `literals` literals, and
    /// updates the last offsets as decoders do.
    ///
    /// The numbers 1 to 3 stand for the last offsets; larger ones are 3 more than the offset.
    /// Without literals, 1 and 2 stand for the second and the third, since the first would have
    /// made the match before longer. (Then 3 stands for one less than the first; that is so rare
    /// that it isn't used.) Nothing here branches, since no branch could be predicted.
    #[inline(always)]
    pub(crate) fn number(&mut self, literals: u32, offset: u32) -> u32 {
        let [first, second, third] = self.0;
        let has = literals.min(1);
        let is_first = offset == first * has;
        let is_second = offset == second;
        let number = select_unpredictable(offset == third, 2 + has, offset + 3);
        let number = select_unpredictable(is_second, 1 + has, number);
        let number = select_unpredictable(is_first, has, number);

        let kept = select_unpredictable(is_second, third, second);
        self.0 = [
            offset,
            select_unpredictable(is_first, second, first),
            select_unpredictable(is_first, third, kept),
        ];
        number
    }

    /// Returns the offset that a number stands for after `literals` literals, and updates the last
    /// offsets as decoders do. An impossible number becomes 0, or an offset that is too far.
    ///
    /// The opposite of [`Self::number`], but any number is possible. Only what is rare branches.
    #[inline(always)]
    pub(crate) fn offset(&mut self, literals: u32, number: u32) -> u32 {
        let [first, second, third] = self.0;
        // Without literals, the numbers mean the next one.
        let code = number.wrapping_add(u32::from(literals == 0));
        let offset = number.wrapping_sub(3);
        let offset = select_unpredictable(code == 3, third, offset);
        let offset = select_unpredictable(code == 2, second, offset);
        let offset = select_unpredictable(code == 1, first, offset);
        let offset = match number {
            0 => 0,
            // The last one means one less than the first.
            3 if literals == 0 => first.wrapping_sub(1),
            _ => offset,
        };
        self.0 = [
            offset,
            select_unpredictable(code == 1, second, first),
            select_unpredictable(code <= 2, third, second),
        ];
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A decoder's side, as in the RFC.
    fn decode(last: &mut [u32; 3], literals: u32, number: u32) -> u32 {
        let at = if literals == 0 { number + 1 } else { number };
        let offset = match at {
            _ if number > 3 => number - 3,
            4 => last[0] - 1,
            at => last[at as usize - 1],
        };
        let changed = if number > 3 { 3 } else { at };
        match changed {
            1 => {}
            2 => last.swap(0, 1),
            _ => *last = [offset, last[0], last[1]],
        }
        offset
    }

    proptest! {
        #[test]
        fn decoders_find_the_same_offsets(
            sequences in proptest::collection::vec((0_u32..2, 1_u32..12), 1..300),
        ) {
            let mut ours = RepeatOffsets::new();
            let mut theirs = [1, 4, 8];
            for (literals, offset) in sequences {
                let number = ours.number(literals, offset);
                prop_assert_eq!(decode(&mut theirs, literals, number), offset);
                prop_assert_eq!(ours.0, theirs);
            }
        }

        #[test]
        fn we_find_the_same_offsets_as_decoders(
            sequences in proptest::collection::vec((0_u32..2, 0_u32..9), 1..300),
        ) {
            let mut ours = RepeatOffsets::new();
            let mut theirs = [1, 4, 8];
            for (literals, number) in sequences {
                let is_impossible = number == 0 || literals == 0 && number == 3 && theirs[0] == 1;
                let offset = ours.offset(literals, number);
                if is_impossible {
                    prop_assert_eq!(offset, 0);
                    break;
                }
                prop_assert_eq!(decode(&mut theirs, literals, number), offset);
                prop_assert_eq!(ours.0, theirs);
            }
        }
    }
}
