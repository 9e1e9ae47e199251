//! Matches many patterns at once.

use std::collections::HashMap;

use regex::bytes::Regex;

use super::glob::{self, Flags};

/// Patterns, numbered in the order of insertion. All patterns without wildcards together cost one
/// look-up per part of a name.
#[derive(Debug, Default)]
pub(super) struct PatternSet {
    literals: HashMap<Vec<u8>, Vec<(usize, Flags)>>,
    /// Whether any literal has this length: parts of names with other lengths are not looked up.
    lens: Vec<bool>,
    others: Vec<(usize, Regex)>,
    len: usize,
    /// Whether any literal may match after a `/`, so that those offsets must be tried.
    unanchored: bool,
}

impl PatternSet {
    pub(super) fn push(&mut self, pattern: &[u8], flags: Flags) {
        let number = self.len;
        self.len += 1;
        if flags.ignore_case || flags.wildcards && glob::has_wildcards(pattern) {
            self.others.extend(glob::compile(pattern, flags).map(|regex| (number, regex)));
            return;
        }
        let text = if flags.wildcards { glob::unescaped(pattern) } else { pattern.to_vec() };
        self.unanchored |= !flags.anchored;
        self.lens.resize(self.lens.len().max(text.len() + 1), false);
        self.lens[text.len()] = true;
        self.literals.entry(text).or_default().push((number, flags));
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Returns the numbers of the matching patterns, each at least once, in no particular order.
    pub(super) fn matching(&self, name: &[u8]) -> Vec<usize> {
        let others = self.others.iter().filter(|(_, regex)| regex.is_match(name));
        let mut found: Vec<usize> = others.map(|(number, _)| *number).collect();
        if self.literals.is_empty() {
            return found;
        }
        let slashes = || name.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let starts = slashes().map(|(i, _)| i + 1).filter(|_| self.unanchored);
        for start in std::iter::once(0).chain(starts) {
            let ends = slashes().map(|(i, _)| i).filter(|end| *end > start);
            for end in ends.chain([name.len()]) {
                if !self.lens.get(end - start).is_some_and(|is_len| *is_len) {
                    continue;
                }
                let same = self.literals.get(&name[start..end]).into_iter().flatten();
                let fits = same.filter(|(_, flags)| {
                    (start == 0 || !flags.anchored) && (end == name.len() || flags.with_contents)
                });
                found.extend(fits.map(|(number, _)| *number));
            }
        }
        found
    }
}
