//! The documented differences: where we deliberately do what neither GNU tar nor bsdtar does.

use super::judge::{Aspect, Difference, Evidence, has, mentions_name};
use super::ours::Member;
use super::tarball::{LINK, MAGIC, MODE, NAME, SIZE, TIME, TYPE};
use super::tree::{Kind, Node};

/// The reason why a difference is right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) reason: &'static str,
    applies: fn(&Difference, &Evidence) -> bool,
}

/// Returns the rule that explains a difference. One of the rules can be left out.
pub(crate) fn explain(
    difference: &Difference,
    evidence: &Evidence,
    without: Option<&str>,
) -> Option<&'static Rule> {
    let mut rules = RULES.iter().filter(|rule| without != Some(rule.name));
    rules.find(|rule| (rule.applies)(difference, evidence))
}

pub(crate) const RULES: [Rule; 43] = [
    Rule {
        name: "folder-time",
        reason: "directories get their times after all their contents, even those that come late",
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
        reason: "a global header sets no name, size or map: all entries would have the same",
        applies: |difference, evidence| {
            let at = evidence.first(&["for all entries; dropped"]);
            let at = at.or_else(|| evidence.damaged_global());
            let names = evidence.names(difference);
            let is_its_name =
                || names.iter().any(|name| evidence.has_global(|data| mentions_name(data, name)));
            at.is_some_and(|at| evidence.is_behind(difference, at) || is_its_name())
        },
    },
    Rule {
        name: "global-twice",
        reason: "of the records of global headers with the same key, the last one counts, until \
                 another one follows (POSIX)",
        applies: |difference, evidence| {
            let time = |node: &Option<Node>| node.as_ref().map(|node| node.mtime);
            let globals = evidence.globals();
            let is_behind =
                |n: usize| globals.get(n).is_some_and(|at| evidence.is_behind(difference, *at));
            // GNU tar uses the first one of a header, and forgets it with the next header.
            difference.aspect == Aspect::Time
                && (is_behind(1) || is_behind(0) && time(&difference.gnu) != time(&difference.bsd))
        },
    },
    Rule {
        name: "empty-name",
        reason: "an empty long name or link target is dropped, and the header's counts",
        applies: |difference, evidence| {
            let words = ["empty long name", "empty long link target"];
            let is_empty = |block: &[u8]| {
                let ends = |end: &[u8]| block.windows(end.len()).any(|bytes| bytes == end);
                ends(b"path=\n") || ends(b"GNU.sparse.name=\n")
            };
            let gnu_complains =
                evidence.gnu.contains("for empty") || evidence.gnu.contains("to ‘’");
            let has_empty =
                || evidence.has_block(difference, is_empty) || evidence.has_global(is_empty);
            evidence.complained(difference, &words) || gnu_complains && has_empty()
        },
    },
    Rule {
        name: "link-to-nothing",
        reason: "a link without a target is refused, and no file is made from its other headers",
        applies: |difference, evidence| {
            matches!(difference.aspect, Aspect::Missing | Aspect::Silent)
                && evidence.complained(difference, &["link without a target"])
        },
    },
    Rule {
        name: "odd-magic",
        reason: "a header with neither POSIX's nor GNU's magic counts as ustar, as for libarchive, \
                 even where libarchive extracts nothing from the archive",
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
        reason: "an access control list of Solaris (type A) is not a file, as for libarchive",
        applies: |difference, evidence| {
            let is_acl = |block: &[u8]| block[TYPE.start] == b'A';
            difference.bsd.is_none()
                && (evidence.has_block(difference, is_acl)
                    || evidence.has_header(b'A', &difference.path))
        },
    },
    Rule {
        name: "label",
        reason: "the name of an archive (type V) is not a file, whatever its headers say",
        applies: |difference, evidence| {
            let noticed = evidence.notices_about(difference);
            matches!(difference.aspect, Aspect::Missing | Aspect::Silent)
                && noticed.iter().any(|notice| notice.contains("volume label"))
        },
    },
    Rule {
        name: "continued",
        reason: "a file that begins in another archive is left out: it is not complete",
        applies: |difference, evidence| evidence.complained(difference, &["continued"]),
    },
    Rule {
        name: "cut-off",
        reason: "a file cut off by the archive's end is not left behind as if it were complete",
        applies: |difference, evidence| {
            let words = ["ends in the middle"];
            let is_extra = difference.aspect == Aspect::Extra
                && evidence.gnu.contains("Unexpected EOF")
                && evidence.complained_anywhere(&words);
            // If a size is dropped, the rest may be read as contents.
            let is_inside = difference.ours.is_none()
                && evidence.complained_anywhere(&words)
                && evidence.complained_anywhere(&["dropped size"]);
            // A directory that was complete before gets the attributes of an incomplete dump.
            let is_last = || {
                let last = evidence.ours.members.last();
                last.is_some_and(|member| member.path == difference.path)
            };
            let has_attributes = matches!(difference.aspect, Aspect::Mode | Aspect::Time)
                && evidence.complained_anywhere(&words)
                && is_last();
            is_extra || is_inside || has_attributes || evidence.complained(difference, &words)
        },
    },
    Rule {
        name: "link-contents",
        reason: "if no header follows a hard link, its size counts (POSIX allows it to have \
                 contents)",
        applies: |difference, evidence| {
            let Some(link) = evidence.link_contents() else { return false };
            let mut members = evidence.ours.members.iter();
            let is_passed_over =
                difference.ours.is_none() && !members.any(|member| member.path == difference.path);
            // Such contents may reach beyond the archive's end: what is behind the link is in them.
            let is_cut_off = evidence.complained_anywhere(&["it ends in the middle of an entry"])
                && evidence.is_behind(difference, link);
            is_passed_over || is_cut_off
        },
    },
    Rule {
        name: "cut-padding",
        reason: "a file that lacks only its padding is complete, as for libarchive",
        applies: |_, evidence| evidence.complained_anywhere(&["ends in the middle of a block"]),
    },
    Rule {
        name: "memory",
        reason: "GNU tar exits when a number needs more memory than there is; we continue",
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
        reason: "devices are not created, not even those that any user may create (0:0)",
        applies: |difference, evidence| {
            let words = "device nodes are not created";
            evidence.complained(difference, &[words])
                || evidence.complained_above(&difference.path, words)
        },
    },
    Rule {
        name: "dropped-attribute",
        reason: "a mode or time that can't be parsed is dropped; the part of it that can be is not \
                 used",
        applies: |difference, evidence| {
            let words: &[_] = match difference.aspect {
                Aspect::Mode => &["dropped mode"],
                Aspect::Time => &["dropped mtime"],
                _ => &[],
            };
            evidence.complained(difference, words)
        },
    },
    Rule {
        name: "blank-field",
        reason: "a blank mode or time is 0, as for libarchive, even where libarchive extracts \
                 nothing from the archive",
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
        reason: "of a damaged extended header, the readable records count",
        applies: |difference, evidence| {
            let at = evidence.damaged_global();
            let counts = matches!(difference.aspect, Aspect::Time | Aspect::Contents);
            let is_named =
                matches!(difference.aspect, Aspect::Extra | Aspect::Missing | Aspect::Target);
            (counts || is_named) && evidence.complained(difference, &["a PAX record"])
                || counts && at.is_some_and(|at| evidence.is_behind(difference, at))
        },
    },
    Rule {
        name: "lenient-records",
        reason: "blanks before the length of a record, a tab behind it, and NULs behind the last \
                 record are allowed, as by GNU tar",
        applies: |difference, evidence| {
            matches!(difference.aspect, Aspect::Silent | Aspect::Extra | Aspect::Time)
                && evidence.bsd.contains("malformed pax")
                && evidence.has_lenient_records()
        },
    },
    Rule {
        name: "base-64",
        reason: "a size in the base-64 of GNU tar 1.12 is invalid, and its header is damaged",
        applies: |difference, evidence| {
            difference.ours.is_none() && evidence.gnu.contains("obsolescent base-64")
        },
    },
    Rule {
        name: "record-size",
        reason: "the size in a record counts, even if the header's is invalid",
        applies: |difference, evidence| {
            difference.ours.is_some()
                && evidence.gnu.contains("off_t")
                && evidence.has_block(difference, |block| has(block, b" size="))
        },
    },
    Rule {
        name: "unfinished",
        reason: "the file that GNU tar was writing when it aborted has no time yet, and what \
                 follows is missing",
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
        reason: "a size that is not a number is dropped, and the header's counts",
        applies: |difference, evidence| {
            evidence.complained(difference, &["dropped size", "dropped GNU.sparse"])
        },
    },
    Rule {
        name: "wrong-map",
        reason: "a sparse file with a wrong map is left out: the offsets of its bytes are unknown",
        applies: |difference, evidence| {
            matches!(difference.aspect, Aspect::Missing | Aspect::Silent)
                && evidence.complained(difference, &["sparse file"])
        },
    },
    Rule {
        name: "odd-map",
        reason: "a readable map is used, where peers that call it malformed make up other contents",
        applies: |difference, evidence| {
            let kind = |node: &Option<Node>| node.as_ref().map(|node| node.kind.clone());
            let is_new = |node: &Node| node.mtime.is_none();
            match difference.aspect {
                Aspect::Contents | Aspect::Kind => {
                    let complaints = [
                        "header: excess GNU.sparse",
                        "header: invalid GNU.sparse",
                        "Unexpected EOF",
                    ];
                    let gnu_complains = complaints.iter().any(|words| evidence.gnu.contains(words));
                    let is_sparse = evidence.is_sparse(difference)
                        || evidence.has_global(|data| has(data, b"GNU.sparse"));
                    let peers_differ = kind(&difference.gnu) != kind(&difference.bsd)
                        || evidence.gnu.contains("GNU.sparse")
                        || evidence.gnu.contains("sparse archive member");
                    evidence.is_behind_sparse(difference) && gnu_complains
                        || is_sparse && peers_differ
                }
                Aspect::Names => {
                    evidence.is_sparse(difference)
                        && evidence.gnu_complained(difference, "sparse archive member")
                }
                Aspect::Time => {
                    evidence.is_sparse(difference)
                        && difference.gnu.as_ref().is_some_and(is_new)
                        && difference.bsd.is_none()
                }
                Aspect::Extra => {
                    evidence.is_sparse(difference) || evidence.is_behind_sparse(difference)
                }
                // Behind a sparse file whose data GNU tar reads from another offset.
                Aspect::Silent => evidence.gnu.contains("header: excess GNU.sparse"),
                _ => false,
            }
        },
    },
    Rule {
        name: "short-region",
        reason: "regions of a sparse file that aren't whole blocks follow each other, as for \
                 libarchive; for GNU tar, each begins a block",
        applies: |difference, evidence| {
            difference.bsd.is_none()
                && evidence.is_behind_sparse(difference)
                && evidence.has_short_region()
        },
    },
    Rule {
        name: "size-of-nothing",
        reason: "the size of an entry of a kind without contents is ignored",
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
            // What follows goes to another place where the entry is skipped.
            let is_elsewhere = difference.ours.is_none()
                && evidence.gnu.contains("off_t")
                && evidence.complained_anywhere(&["dropped size"]);
            is_extra
                || is_elsewhere
                || difference.ours.as_ref().is_some_and(has_none)
                    && evidence.gnu.contains("off_t")
                    && evidence.has_block(difference, is_odd)
        },
    },
    Rule {
        name: "found-again",
        reason: "behind damage or something that is dropped, we find entries that peers lose",
        applies: |difference, evidence| {
            let words = ["skipping to the next", "dropped size", "sparse file"];
            let members = evidence.members(difference);
            let is_behind = |at| members.iter().any(|member| member.end > at);
            difference.ours.is_some() && evidence.first(&words).is_some_and(is_behind)
        },
    },
    Rule {
        name: "long-path",
        reason: "peers can't finish entries with paths of more than 4095 bytes",
        applies: |difference, _| difference.path.len() > 4095,
    },
    Rule {
        name: "long-name",
        reason: "a long name is as long as its header says, and PAX records override it, as for \
                 GNU tar",
        applies: |difference, evidence| {
            let is_long = |block: &[u8]| matches!(block[TYPE.start], b'L' | b'K');
            let aspects =
                [Aspect::Extra, Aspect::Silent, Aspect::Contents, Aspect::Target, Aspect::Kind];
            // The name may be that of a damaged header, too.
            let is_other = difference.aspect == Aspect::Missing
                && evidence.has_long_name(&difference.path)
                && evidence.complained_anywhere(&["skipping to the next"]);
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
        reason: "a slash or dot behind the name of a link or the target of a hard link does not \
                 matter",
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
                && (evidence.gnu_complained(difference, "Not a directory")
                    || gnu_refuses && evidence.has_block(difference, is_slash))
        },
    },
    Rule {
        name: "empty-checksum",
        reason: "a header without a checksum is damaged, even if the sum of its (signed) bytes is \
                 0",
        applies: |difference, evidence| difference.ours.is_none() && evidence.has_empty_checksum(),
    },
    Rule {
        name: "closed-folder",
        reason: "directories get their permissions after all their contents, even read-only ones",
        applies: |difference, evidence| {
            difference.aspect == Aspect::Extra
                && difference.bsd.is_none()
                && evidence.gnu_complained(difference, "Permission denied")
        },
    },
    Rule {
        name: "through-link",
        reason: "nothing is written through a symbolic link, even where peers replace the link \
                 with a directory",
        applies: |difference, evidence| {
            difference.ours.is_none()
                && evidence.complained(difference, &["not writing through it"])
        },
    },
    Rule {
        name: "empty-value",
        reason: "a record with an empty value cancels an earlier one (POSIX)",
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
        reason: "a number with trailing blanks is valid, as for libarchive; GNU tar drops such a \
                 size, and takes contents for headers",
        applies: |difference, evidence| {
            let is_padded = |block: &[u8]| has(block, b"size=") && has(block, b" \n");
            let is_it =
                difference.aspect == Aspect::Contents && evidence.has_block(difference, is_padded);
            let is_behind = evidence.gnu.contains("header: invalid size=")
                && evidence
                    .is_behind_block(difference, |member| evidence.blocks(member).any(is_padded));
            difference.bsd.is_none() && (is_it || is_behind)
        },
    },
    Rule {
        name: "sparse-nothing",
        reason: "directories, links and pipes have no contents, whatever maps their headers have",
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
        reason: "no directories are created for an entry that is then refused",
        applies: |difference, evidence| {
            difference.aspect == Aspect::Missing
                && [&difference.gnu, &difference.bsd]
                    .into_iter()
                    .any(|node| node.as_ref().is_some_and(|node| node.kind == Kind::Folder))
                && !evidence.complaints_about(difference).is_empty()
        },
    },
    Rule {
        name: "kept",
        reason: "an existing file stays when the entry that would replace it is refused",
        applies: |difference, evidence| {
            let is_refusal = |complaint: &&str| {
                let others = [
                    "dropped",
                    "can't be set",
                    "skipping the excess",
                    "ends with its last segment",
                ];
                !others.iter().any(|what| complaint.contains(what))
            };
            difference.ours.is_some()
                && evidence.complaints_about(difference).iter().any(is_refusal)
        },
    },
    Rule {
        name: "space-before",
        reason: "any white space may be before a number in a header, as for GNU tar",
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
        reason: "a header in the contents of an entry is data, even where peers skip that entry",
        applies: |difference, evidence| {
            difference.aspect == Aspect::Missing && evidence.is_inside(&difference.path)
        },
    },
    Rule {
        name: "last-link",
        reason: "of several symbolic links with one name, the last one counts",
        applies: |difference, evidence| {
            let has_name = |member: &&Member| member.path == difference.path;
            difference.aspect == Aspect::Target
                && difference.bsd.is_none()
                && evidence.ours.members.iter().filter(has_name).count() > 1
        },
    },
    Rule {
        name: "lone-zeros",
        reason: "one block of zeros ends an archive; a notice says that more follows",
        applies: |difference, evidence| {
            let is_said = |notice: &String| notice.contains("a lone block of zeros");
            difference.ours.is_none() && evidence.ours.notices.iter().any(is_said)
        },
    },
    Rule {
        name: "no-consensus",
        reason: "if an archive is so damaged that all three complain and the peers differ, too, \
                 ours may be a third result; contents and targets are excepted",
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
