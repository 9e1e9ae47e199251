//! Parses command lines like GNU's `getopt_long`: bundled short options, abbreviated long options,
//! and options after operands.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// An option of a program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opt<F> {
    pub(super) flag: F,
    pub(super) short: &'static str,
    pub(super) long: &'static [&'static str],
    /// The name of its value, if it has one.
    pub(super) value: Option<&'static str>,
    /// Empty for options that are not shown.
    pub(super) help: &'static str,
    /// Whether the original program lacks it. Abbreviated long names mean the original's options
    /// first.
    pub(super) is_extension: bool,
}

/// An option on the command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given<F> {
    pub(super) flag: F,
    pub(super) value: Option<OsString>,
    /// Its name in messages: `-c` or `--stdout`.
    pub(super) name: String,
}

/// Returns the options one by one, then the operands.
#[derive(Debug)]
pub(super) struct Getopt<'t, F> {
    table: &'t [Opt<F>],
    rest: std::vec::IntoIter<OsString>,
    /// The remaining short options of a bundle.
    bundle: Vec<u8>,
    operands: Vec<OsString>,
    /// Whether the first operand ends the options (`POSIXLY_CORRECT`).
    posix: bool,
}

impl<'t, F: Copy + PartialEq> Getopt<'t, F> {
    pub(super) fn new(table: &'t [Opt<F>], arguments: Vec<OsString>) -> Self {
        let posix = std::env::var_os("POSIXLY_CORRECT").is_some();
        let (rest, bundle, operands) = (arguments.into_iter(), Vec::new(), Vec::new());
        Self { table, rest, bundle, operands, posix }
    }

    /// Returns the next option, an error about it, or `None` after the last one.
    pub(super) fn next(&mut self) -> Option<Result<Given<F>, String>> {
        loop {
            if !self.bundle.is_empty() {
                return Some(self.short());
            }
            let argument = self.rest.next()?;
            match argument.as_bytes() {
                b"--" => {
                    self.operands.extend(self.rest.by_ref());
                    return None;
                }
                [b'-', b'-', name @ ..] => return Some(self.long(name)),
                [b'-', bundle @ ..] if !bundle.is_empty() => self.bundle = bundle.to_vec(),
                _ => {
                    self.operands.push(argument);
                    if self.posix {
                        self.operands.extend(self.rest.by_ref());
                    }
                }
            }
        }
    }

    /// Returns the operands; call it after the last option.
    pub(super) fn operands(self) -> Vec<OsString> {
        self.operands
    }

    fn short(&mut self) -> Result<Given<F>, String> {
        let letter = char::from(self.bundle.remove(0));
        let Some(opt) = self.table.iter().find(|opt| opt.short.contains(letter)) else {
            return Err(format!("invalid option -- '{letter}'"));
        };
        let mut value = None;
        if opt.value.is_some() {
            let attached = std::mem::take(&mut self.bundle);
            value = if attached.is_empty() {
                self.rest.next()
            } else {
                Some(OsString::from_vec(attached))
            };
            if value.is_none() {
                return Err(format!("option requires an argument -- '{letter}'"));
            }
        }
        Ok(Given { flag: opt.flag, value, name: format!("-{letter}") })
    }

    fn long(&mut self, text: &[u8]) -> Result<Given<F>, String> {
        let equals = text.iter().position(|byte| *byte == b'=');
        let (name, attached) = match equals {
            Some(at) => (&text[..at], Some(OsStr::from_bytes(&text[at + 1..]).to_owned())),
            None => (text, None),
        };
        let shown = String::from_utf8_lossy(name);
        let (opt, long) = self.find_long(name)?;
        let value = match (opt.value, attached) {
            (None, Some(_)) => return Err(format!("option '--{long}' doesn't allow an argument")),
            (None, None) => None,
            (Some(_), Some(value)) => Some(value),
            (Some(_), None) => match self.rest.next() {
                Some(value) => Some(value),
                None => return Err(format!("option '--{long}' requires an argument")),
            },
        };
        Ok(Given { flag: opt.flag, value, name: format!("--{shown}") })
    }

    fn find_long(&self, name: &[u8]) -> Result<(&'t Opt<F>, &'static str), String> {
        let all =
            || self.table.iter().flat_map(|opt| opt.long.iter().map(move |long| (opt, *long)));
        if let Some(found) = all().find(|(_, long)| long.as_bytes() == name) {
            return Ok(found);
        }
        let mut found = Vec::new();
        for is_extension in [false, true] {
            found.extend(all().filter(|(opt, long)| {
                opt.is_extension == is_extension && long.as_bytes().starts_with(name)
            }));
            if !found.is_empty() {
                break;
            }
        }
        let shown = String::from_utf8_lossy(name);
        match found[..] {
            [] => Err(format!("unrecognized option '--{shown}'")),
            [first, ref others @ ..] if others.iter().all(|(opt, _)| opt.flag == first.0.flag) => {
                Ok(first)
            }
            _ => {
                let names: Vec<_> = found.iter().map(|(_, long)| format!("'--{long}'")).collect();
                let names = names.join(" ");
                Err(format!("option '--{shown}' is ambiguous; possibilities: {names}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn opt(
        flag: char,
        short: &'static str,
        long: &'static [&'static str],
        is_extension: bool,
    ) -> Opt<char> {
        Opt { flag, short, long, value: None, help: "", is_extension }
    }

    const TABLE: &[Opt<char>] = &[
        opt('c', "c", &["stdout", "to-stdout"], false),
        opt('d', "d", &["decompress"], false),
        Opt { value: Some("SUF"), ..opt('S', "S", &["suffix"], false) },
        opt('s', "", &["stats"], true),
    ];

    fn parse(arguments: &[&str]) -> Result<(String, Vec<OsString>), String> {
        let mut getopt = Getopt::new(TABLE, arguments.iter().map(OsString::from).collect());
        let mut flags = String::new();
        while let Some(given) = getopt.next() {
            let given = given?;
            flags.push(given.flag);
            flags.push_str(given.value.as_deref().and_then(OsStr::to_str).unwrap_or_default());
        }
        Ok((flags, getopt.operands()))
    }

    #[test]
    fn options_are_found_before_and_after_operands() {
        for (arguments, flags, operands) in [
            (&["-cd", "a", "--stdout"][..], "cdc", &["a"][..]),
            (&["a", "-dS.x", "-", "--", "-c"], "dS.x", &["a", "-", "-c"]),
            (&["-S", "-c", "--suffix=", "--suf", "=y"], "S-cSS=y", &[]),
            (&["--st", "--sta", "--dec"], "csd", &[]),
        ] {
            let operands = operands.iter().map(OsString::from).collect();
            assert_eq!(parse(arguments), Ok((flags.to_owned(), operands)), "{arguments:?}");
        }
    }

    #[test]
    fn errors_have_the_words_of_getopt() {
        for (argument, message) in [
            ("-cx", "invalid option -- 'x'"),
            ("-S", "option requires an argument -- 'S'"),
            ("--nope", "unrecognized option '--nope'"),
            ("--suffix", "option '--suffix' requires an argument"),
            ("--stdout=1", "option '--stdout' doesn't allow an argument"),
            ("--s", "option '--s' is ambiguous; possibilities: '--stdout' '--suffix'"),
        ] {
            assert_eq!(parse(&[argument]), Err(message.to_owned()));
        }
    }
}
