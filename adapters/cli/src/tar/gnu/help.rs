//! The help.

use std::fmt::Write;

use super::options::{Argument, TABLE};

/// Returns examples, and all options that have an effect.
pub(super) fn text() -> String {
    let mut text = String::from(
        "Writes and reads tar.gz archives with the options of GNU tar\n\n\
         Usage: uadk-compress tar OPTIONS [FILE]...\n\n\
         \x20 uadk-compress tar czf a.tgz dir       create an archive\n\
         \x20 uadk-compress tar tvf a.tgz           list it\n\
         \x20 uadk-compress tar xf a.tgz -C there   extract it\n\n\
         Long options may be abbreviated: --exclude-v is --exclude-vcs.\n\
         `uadk-compress tar --help` lists the subcommands, such as verify, cat and index.\n\n",
    );
    for option in TABLE.iter().filter(|option| !option.help.is_empty()) {
        let mut names: Vec<String> =
            option.short.map(|short| format!("-{short}")).into_iter().collect();
        names.extend(option.long.iter().map(|long| format!("--{long}")));
        let mut names = names.join(", ");
        match option.argument {
            Argument::None => {}
            Argument::Required => drop(write!(names, "={}", option.value)),
            Argument::Optional => drop(write!(names, "[={}]", option.value)),
        }
        let indent = if option.short.is_some() { 2 } else { 6 };
        // Writing to a string can't fail.
        let _ = writeln!(text, "{:indent$}{names}\n{:10}{}", "", "", option.help);
    }
    text
}
