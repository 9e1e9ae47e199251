//! The documented differences: where we do on purpose what neither GNU tar nor bsdtar does.

use super::judge::{Aspect, Difference, Evidence, has, says_name};
use super::tarball::{LINK, MAGIC, MODE, NAME, SIZE, TIME, TYPE};
use super::tree::{Kind, Node};

/// Why a difference is right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    applies: fn(&Difference, &Evidence) -> bool,
}

/// The rule that explains a difference; one of them can be left out.
pub(crate) fn explain(
    difference: &Difference,
    evidence: &Evidence,
    without: Option<&str>,
) -> Option<&'static Rule> {
    let mut rules = RULES.iter().filter(|rule| without != Some(rule.name));
    rules.find(|rule| (rule.applies)(difference, evidence))
}

pub(crate) const RULES: [Rule; 41] = [
    Rule {
        name: "folder-time",
        why: "folders get their times when all is in them, also what comes late",
        applies: |difference, _| {
            let is_folder = |node: &Node| node.kind == Kind::Folder;
            let is_new = |node: &Node| node.mtime.is_none();
            difference.aspect == Aspect::Time
                && difference.ours.as_ref().is_some_and(is_folder)
                && difference.gnu.as_ref().is_some_and(is_new)
        },
    },
    Rule {
        name: "global-attributes",
        why: "a global header gives no entry its name, size or map: all would have the same",
        applies: |difference, evidence| {
            let at = evidence.first(&["for all entries; it is dropped"]);
            let at = at.or_else(|| evidence.damaged_global());
            let names = evidence.names(difference);
            let is_its_name =
                || names.iter().any(|name| evidence.has_global(|data| says_name(data, name)));
            at.is_some_and(|at| evidence.is_behind(difference, at) || is_its_name())
        },
    },
    Rule {
        name: "global-twice",
        why: "of records of global headers with one key the last one counts, until another one comes (POSIX)",
        applies: |difference, evidence| {
            let time = |node: &Option<Node>| node.as_ref().map(|node| node.mtime);
            let globals = evidence.globals();
            let is_behind =
                |n: usize| globals.get(n).is_some_and(|at| evidence.is_behind(difference, *at));
            // GNU tar takes the first one of a header, and forgets it with the next header.
            difference.aspect == Aspect::Time
                && (is_behind(1) || is_behind(0) && time(&difference.gnu) != time(&difference.bsd))
        },
    },
    Rule {
        name: "empty-name",
        why: "a long name or target that is empty is dropped, and the header's counts",
        applies: |difference, evidence| {
            let words = ["long name is empty", "long link target is empty"];
            let is_empty = |block: &[u8]| {
                let ends = |end: &[u8]| block.windows(end.len()).any(|bytes| bytes == end);
                ends(b"path=\n") || ends(b"GNU.sparse.name=\n")
            };
            let gnu_complains =
                evidence.gnu.contains("for empty") || evidence.gnu.contains("to ‘’");
            let has_empty =
                || evidence.has_block(difference, is_empty) || evidence.has_global(is_empty);
            evidence.told(difference, &words) || gnu_complains && has_empty()
        },
    },
    Rule {
        name: "link-to-nothing",
        why: "a link without a target is refused, and no file is made of what else its headers say",
        applies: |difference, evidence| {
            matches!(difference.aspect, Aspect::Missing | Aspect::Silent)
                && evidence.told(difference, &["it is a link to nothing"])
        },
    },
    Rule {
        name: "odd-magic",
        why: "a header with neither POSIX's nor GNU's magic is one of ustar, as for libarchive, also where \
              that takes no part of the archive",
        applies: |difference, evidence| {
            let is_odd = |block: &[u8]| {
                let magic = &block[MAGIC.start..MAGIC.start + 8];
                magic.starts_with(b"ustar") && magic != b"ustar  \0" && magic[5] != 0
            };
            matches!(difference.aspect, Aspect::Extra | Aspect::Silent)
                && evidence.has_block(difference, is_odd)
        },
    },
    Rule {
        name: "solaris-acl",
        why: "an access control list of Solaris (type A) is no file, as for libarchive",
        applies: |difference, evidence| {
            let is_acl = |block: &[u8]| block[TYPE.start] == b'A';
            difference.bsd.is_none()
                && (evidence.has_block(difference, is_acl)
                    || evidence.has_header(b'A', &difference.path))
        },
    },
    Rule {
        name: "label",
        why: "the name of an archive (type V) is no file, whatever is said of it",
        applies: |difference, evidence| {
            let noticed = evidence.noticed_of(difference);
            matches!(difference.aspect, Aspect::Missing | Aspect::Silent)
                && noticed.iter().any(|notice| notice.contains("it is the name of the archive"))
        },
    },
    Rule {
        name: "continued",
        why: "what begins in another archive is left out, and is not taken for whole",
        applies: |difference, evidence| evidence.told(difference, &["continued"]),
    },
    Rule {
        name: "cut-off",
        why: "a file that the archive's end cuts off is not left behind as if it were whole",
        applies: |difference, evidence| {
            let words = ["ends in the middle"];
            let is_extra = difference.aspect == Aspect::Extra
                && evidence.gnu.contains("Unexpected EOF")
                && evidence.told_at_all(&words);
            // Where a size is dropped, the rest can be taken for contents.
            let is_inside = difference.ours.is_none()
                && evidence.told_at_all(&words)
                && evidence.told_at_all(&["its size is dropped"]);
            is_extra || is_inside || evidence.told(difference, &words)
        },
    },
    Rule {
        name: "link-contents",
        why: "where no header is behind a hard link, its size is believed (POSIX lets it have contents)",
        applies: |difference, evidence| {
            let mut members = evidence.ours.members.iter();
            let is_passed_over = difference.ours.is_none()
                && !members.any(|member| member.path == difference.path)
                || evidence.told_at_all(&["it ends in the middle of an entry"]);
            is_passed_over && evidence.has_link_contents()
        },
    },
    Rule {
        name: "cut-padding",
        why: "a file that lacks nothing but its padding is whole, as for libarchive",
        applies: |_, evidence| evidence.told_at_all(&["ends in the middle of a block"]),
    },
    Rule {
        name: "memory",
        why: "GNU tar ends when a number needs more memory than there is; we go on",
        applies: |difference, evidence| {
            difference.ours.is_some()
                && (difference.bsd.is_none()
                    || difference.gnu.as_ref().map(|node| &node.kind)
                        != difference.bsd.as_ref().map(|node| &node.kind))
                && evidence.gnu.contains("memory exhausted")
        },
    },
    Rule {
        name: "device",
        why: "devices are not made, not even those that anybody may make (0:0)",
        applies: |difference, evidence| {
            let words = "devices are not made";
            evidence.told(difference, &[words]) || evidence.told_above(&difference.path, words)
        },
    },
    Rule {
        name: "dropped-attribute",
        why: "a mode or time that can't be read is dropped, and is not the part of it that can be",
        applies: |difference, evidence| {
            let words: &[_] = match difference.aspect {
                Aspect::Mode => &["its mode is dropped"],
                Aspect::Time => &["its mtime is dropped"],
                _ => &[],
            };
            evidence.told(difference, words)
        },
    },
    Rule {
        name: "blank-field",
        why: "a blank mode or time is 0, as for libarchive, also where that takes no part of the archive",
        applies: |difference, evidence| {
            let field = if difference.aspect == Aspect::Mode { MODE } else { TIME };
            let value = |node: &Node| match difference.aspect {
                Aspect::Mode => node.mode == 0,
                Aspect::Time => node.mtime == Some((0, 0)),
                _ => false,
            };
            let is_blank = |block: &[u8]| {
                let field = &block[field.start..field.start + field.len];
                field.contains(&b' ') && field.iter().all(|byte| matches!(byte, b' ' | 0))
            };
            difference.ours.as_ref().is_some_and(value) && evidence.has_block(difference, is_blank)
        },
    },
    Rule {
        name: "damaged-records",
        why: "of an extended header that is damaged, the records that can be read count",
        applies: |difference, evidence| {
            let at = evidence.damaged_global();
            let counts = matches!(difference.aspect, Aspect::Time | Aspect::Contents);
            evidence.told(difference, &["a record of an extended header"])
                || counts && at.is_some_and(|at| evidence.is_behind(difference, at))
        },
    },
    Rule {
        name: "lenient-records",
        why: "blanks may be before the length of a record, a tab behind it, and NULs behind the last record, as for GNU tar",
        applies: |difference, evidence| {
            matches!(difference.aspect, Aspect::Silent | Aspect::Extra | Aspect::Time)
                && evidence.bsd.contains("malformed pax")
                && evidence.has_lenient_records()
        },
    },
    Rule {
        name: "base-64",
        why: "a size in the base-64 of GNU tar 1.12 is none, and its header is damaged",
        applies: |difference, evidence| {
            difference.ours.is_none() && evidence.gnu.contains("obsolescent base-64")
        },
    },
    Rule {
        name: "record-size",
        why: "the size in a record counts, also where the header's is none",
        applies: |difference, evidence| {
            difference.ours.is_some()
                && evidence.gnu.contains("off_t")
                && evidence.has_block(difference, |block| has(block, b" size="))
        },
    },
    Rule {
        name: "unfinished",
        why: "what GNU tar was writing when it gave up has no time yet, and what follows is not there",
        applies: |difference, evidence| {
            let is_new = difference.gnu.as_ref().is_some_and(|node| node.mtime.is_none());
            let is_alone = evidence.bsd.contains("Unrecognized archive format");
            difference.aspect == Aspect::Time
                && is_new
                && evidence.gnu.contains("Error is not recoverable")
                || matches!(difference.aspect, Aspect::Names | Aspect::Extra)
                    && is_alone
                    && evidence.gnu.contains("Unexpected EOF")
        },
    },
    Rule {
        name: "dropped-size",
        why: "a size that is no number is dropped, and the header's counts",
        applies: |difference, evidence| {
            evidence.told(difference, &["its size is dropped", "its GNU.sparse"])
        },
    },
    Rule {
        name: "wrong-map",
        why: "a sparse file whose map is wrong is left out: nobody knows which bytes are where",
        applies: |difference, evidence| {
            matches!(difference.aspect, Aspect::Missing | Aspect::Silent)
                && evidence.told(difference, &["sparse file"])
        },
    },
    Rule {
        name: "odd-map",
        why: "a map that can be read is, where peers that call it malformed make up other contents",
        applies: |difference, evidence| {
            let kind = |node: &Option<Node>| node.as_ref().map(|node| node.kind.clone());
            let is_new = |node: &Node| node.mtime.is_none();
            match difference.aspect {
                Aspect::Contents | Aspect::Kind => {
                    let is_behind = evidence.is_behind_sparse(difference)
                        && evidence.gnu.contains("header: excess GNU.sparse");
                    is_behind
                        || evidence.is_sparse(difference)
                            && (kind(&difference.gnu) != kind(&difference.bsd)
                                || evidence.gnu.contains("GNU.sparse"))
                }
                Aspect::Names => {
                    evidence.is_sparse(difference)
                        && evidence.gnu_told(difference, "sparse archive member")
                }
                Aspect::Time => {
                    evidence.is_sparse(difference)
                        && difference.gnu.as_ref().is_some_and(is_new)
                        && difference.bsd.is_none()
                }
                Aspect::Extra => {
                    evidence.is_sparse(difference) || evidence.is_behind_sparse(difference)
                }
                // Behind one whose data is elsewhere for GNU tar.
                Aspect::Silent => evidence.gnu.contains("header: excess GNU.sparse"),
                _ => false,
            }
        },
    },
    Rule {
        name: "size-of-nothing",
        why: "the size of what has no contents is not looked at",
        applies: |difference, evidence| {
            let has_none = |node: &Node| !matches!(node.kind, Kind::File { .. });
            let size = |block: &[u8]| block[SIZE.start..SIZE.start + SIZE.len].to_vec();
            let is_odd =
                |block: &[u8]| !size(block).iter().all(|byte| matches!(byte, b'0'..=b'7' | 0));
            let is_some = |block: &[u8]| !size(block).iter().all(|byte| matches!(byte, b'0' | 0));
            let is_refused = evidence.gnu.contains("Member name contains");
            // What is behind such an entry is lost where its size is believed.
            let is_extra = difference.ours.is_some()
                && evidence.is_behind_block(difference, |member| {
                    let mut blocks = evidence.blocks(member);
                    evidence.is_empty_kind(member)
                        && blocks.any(|block| {
                            is_odd(block) || is_refused && is_some(block) || has(block, b"size=")
                        })
                });
            is_extra
                || difference.ours.as_ref().is_some_and(has_none)
                    && evidence.gnu.contains("off_t")
                    && evidence.has_block(difference, is_odd)
        },
    },
    Rule {
        name: "found-again",
        why: "behind damage, or something that is dropped, we find entries that peers lose",
        applies: |difference, evidence| {
            let words = ["skipping to the next", "its size is dropped", "sparse file"];
            let members = evidence.members(difference);
            let is_behind = |at| members.iter().any(|member| member.end > at);
            difference.ours.is_some() && evidence.first(&words).is_some_and(is_behind)
        },
    },
    Rule {
        name: "long-path",
        why: "peers can't finish what has a path of more than 4095 bytes",
        applies: |difference, _| difference.path.len() > 4095,
    },
    Rule {
        name: "long-name",
        why: "a long name is as long as its header says, and PAX records count more, as for GNU tar",
        applies: |difference, evidence| {
            let is_long = |block: &[u8]| matches!(block[TYPE.start], b'L' | b'K');
            let aspects =
                [Aspect::Extra, Aspect::Silent, Aspect::Contents, Aspect::Target, Aspect::Kind];
            // The name may be that of a damaged header, too.
            let is_other = difference.aspect == Aspect::Missing
                && evidence.has_long_name(&difference.path)
                && evidence.told_at_all(&["skipping to the next"]);
            is_other
                || aspects.contains(&difference.aspect)
                    && (evidence.has_long_name(&difference.path)
                        || evidence.has_block(difference, is_long))
                    && (difference.bsd.is_none()
                        || difference.gnu.as_ref().map(|node| &node.kind)
                            != difference.bsd.as_ref().map(|node| &node.kind))
        },
    },
    Rule {
        name: "slash-behind",
        why: "a slash or dot behind the name of a link, or the target of a hard link, does not matter",
        applies: |difference, evidence| {
            let ends = |field: &[u8]| {
                let text = field.split(|byte| *byte == 0).next().unwrap_or_default();
                text == b"." || text.ends_with(b"/") || text.ends_with(b"/.")
            };
            let is_so = |block: &[u8]| {
                let (name, target) = (&block[..NAME.len], &block[LINK.start..][..LINK.len]);
                match block[TYPE.start] {
                    b'1' => ends(name) || ends(target),
                    b'2' => ends(name),
                    _ => false,
                }
            };
            let is_slash =
                |block: &[u8]| is_so(block) || has(block, b"/\n") || block.ends_with(b"/");
            let refusals = ["Cannot hard link to", "Cannot create symlink to"];
            let gnu_refuses = refusals.iter().any(|words| evidence.gnu.contains(words));
            difference.ours.is_some()
                && (evidence.gnu_told(difference, "Not a directory")
                    || gnu_refuses && evidence.has_block(difference, is_slash))
        },
    },
    Rule {
        name: "empty-checksum",
        why: "a header without a checksum is damaged, also where the sum of its (signed) bytes is 0",
        applies: |difference, evidence| difference.ours.is_none() && evidence.has_empty_checksum(),
    },
    Rule {
        name: "closed-folder",
        why: "folders get their permissions when all is in them, also those that nobody may write to",
        applies: |difference, evidence| {
            difference.aspect == Aspect::Extra
                && difference.bsd.is_none()
                && evidence.gnu_told(difference, "Permission denied")
        },
    },
    Rule {
        name: "through-link",
        why: "nothing is written through a symbolic link, also where peers drop the link and make a folder",
        applies: |difference, evidence| {
            difference.ours.is_none()
                && evidence.told(difference, &["nothing is written through it"])
        },
    },
    Rule {
        name: "empty-value",
        why: "a record with an empty value takes back what an earlier one says (POSIX)",
        applies: |difference, evidence| {
            let key: &[u8] = match difference.aspect {
                Aspect::Contents => b"size=\n",
                Aspect::Time => b"mtime=\n",
                _ => return false,
            };
            evidence.has_block(difference, |block| has(block, key))
        },
    },
    Rule {
        name: "padded-number",
        why: "a number with blanks behind it is one, as for libarchive",
        applies: |difference, evidence| {
            let is_padded = |block: &[u8]| has(block, b"size=") && has(block, b" \n");
            difference.aspect == Aspect::Contents
                && difference.bsd.is_none()
                && evidence.has_block(difference, is_padded)
        },
    },
    Rule {
        name: "sparse-nothing",
        why: "folders, links and pipes have no contents, whatever maps are said to be theirs",
        applies: |difference, evidence| {
            let is_left_out =
                difference.bsd.is_none() && evidence.gnu.contains("sparse archive member");
            let aspects = [Aspect::Contents, Aspect::Mode, Aspect::Names, Aspect::Time];
            let is_filled = aspects.contains(&difference.aspect);
            let is_folder = difference.aspect == Aspect::Kind
                && difference.ours.as_ref().is_some_and(|node| node.kind == Kind::Folder)
                && evidence.is_sparse(difference);
            is_folder || (is_left_out || is_filled) && evidence.has_sparse_nothing()
        },
    },
    Rule {
        name: "no-folder-for-nothing",
        why: "folders are not made for an entry that is then refused",
        applies: |difference, evidence| {
            difference.aspect == Aspect::Missing
                && [&difference.gnu, &difference.bsd]
                    .into_iter()
                    .any(|node| node.as_ref().is_some_and(|node| node.kind == Kind::Folder))
                && !evidence.told_of(difference).is_empty()
        },
    },
    Rule {
        name: "kept",
        why: "what is there stays when the entry that would replace it is refused",
        applies: |difference, evidence| {
            let is_refusal = |complaint: &&str| {
                let others =
                    ["dropped", "can't be set", "which is skipped", "ends with its last piece"];
                !others.iter().any(|what| complaint.contains(what))
            };
            difference.ours.is_some() && evidence.told_of(difference).iter().any(is_refusal)
        },
    },
    Rule {
        name: "space-before",
        why: "any white space may be before a number in a header, as for GNU tar",
        applies: |difference, evidence| {
            let field = match difference.aspect {
                Aspect::Mode => MODE,
                Aspect::Time => TIME,
                _ => return false,
            };
            difference.gnu.is_none()
                && evidence
                    .has_block(difference, |block| matches!(block[field.start], b'\t'..=b'\r'))
        },
    },
    Rule {
        name: "inside",
        why: "what is in the contents of an entry is no entry, also where peers give that one up",
        applies: |difference, evidence| {
            difference.aspect == Aspect::Missing && evidence.is_inside(&difference.path)
        },
    },
    Rule {
        name: "lone-zeros",
        why: "one block of zeros ends an archive, and more is not read, which is said",
        applies: |difference, evidence| {
            let is_said = |notice: &String| notice.contains("a lone block of zeros");
            difference.ours.is_none() && evidence.ours.notices.iter().any(is_said)
        },
    },
    Rule {
        name: "no-consensus",
        why: "where an archive is so damaged that all three complain and the peers differ, too, we have a \
              third reading; contents and targets are never a matter of reading",
        applies: |difference, evidence| {
            let (gnu, bsd) = (&difference.gnu, &difference.bsd);
            let shown = |node: &Node| (node.kind.clone(), node.mode, node.mtime);
            let differ = gnu.as_ref().map(shown) != bsd.as_ref().map(shown);
            let all_complain = evidence.gnu.contains("status 2")
                && !evidence.bsd.contains("status 0")
                && !evidence.ours.complaints.is_empty();
            let aspects =
                [Aspect::Missing, Aspect::Kind, Aspect::Mode, Aspect::Time, Aspect::Names];
            aspects.contains(&difference.aspect) && differ && all_complain
        },
    },
];
