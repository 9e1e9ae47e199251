//! Splits a command line into options and operands in order, like `getopt_long`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::options::{Argument, Id, Option as Known, TABLE};
use super::usage::Usage;

/// A part of the command line.
#[derive(Debug)]
pub(super) enum Event {
    /// An option and its argument.
    Option(&'static Known, Option<OsString>),
    Operand(OsString),
}

/// Parses the options in `TAR_OPTIONS`, then the command line.
pub(super) fn with_environment(arguments: &[OsString]) -> Result<Vec<Event>, Usage> {
    let options = std::env::var_os("TAR_OPTIONS").unwrap_or_default();
    let words = options.as_bytes().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(|word| OsString::from_vec(word.to_vec())).collect();
    let mut events = parse(&words)?;
    events.extend(parse(&with_dashes(arguments)?)?);
    Ok(events)
}

/// Parses the options in a line of a file list.
pub(super) fn line(words: &[OsString]) -> Result<Vec<Event>, Usage> {
    parse(words)
}

/// Expands leading letters without a dash (`czf a.tgz`) into options with their arguments.
fn with_dashes(arguments: &[OsString]) -> Result<Vec<OsString>, Usage> {
    let Some((letters, rest)) = arguments.split_first() else { return Ok(Vec::new()) };
    if letters.as_bytes().starts_with(b"-") {
        return Ok(arguments.to_vec());
    }
    let mut rest = rest.iter();
    let mut all = Vec::with_capacity(arguments.len() + letters.len());
    for letter in letters.as_bytes() {
        all.push(OsString::from_vec(vec![b'-', *letter]));
        let known = by_letter(*letter);
        if known.is_some_and(|known| known.argument == Argument::Required) {
            let argument = rest.next().ok_or_else(|| {
                Usage::meaning(format!("option {} requires an argument", char::from(*letter)))
            })?;
            all.push(argument.clone());
        }
    }
    all.extend(rest.cloned());
    Ok(all)
}

fn parse(arguments: &[OsString]) -> Result<Vec<Event>, Usage> {
    let mut events = Vec::with_capacity(arguments.len());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_bytes() {
            b"--" => {
                events.extend(rest.cloned().map(Event::Operand));
                break;
            }
            [b'-', b'-', long @ ..] => events.push(long_option(long, &mut rest)?),
            [b'-', letters @ ..] if !letters.is_empty() => {
                short_options(letters, &mut rest, &mut events)?;
            }
            _ => events.push(Event::Operand(argument.clone())),
        }
    }
    Ok(events)
}

fn long_option<'a>(
    text: &[u8],
    rest: &mut impl Iterator<Item = &'a OsString>,
) -> Result<Event, Usage> {
    let equals = text.iter().position(|byte| *byte == b'=');
    let (name, value) = match equals {
        Some(equals) => (&text[..equals], Some(&text[equals + 1..])),
        None => (text, None),
    };
    let name = String::from_utf8_lossy(name);
    let known = by_name(&name)?;
    let value = value.map(|value| OsStr::from_bytes(value).to_owned());
    let value = match (known.argument, value) {
        (Argument::None, Some(_)) => {
            return Err(Usage::Option(format!("option --{name} doesn't allow an argument")));
        }
        (Argument::Required, None) => {
            Some(rest.next().ok_or_else(|| lacks_argument(&format!("--{name}")))?.clone())
        }
        (_, value) => value,
    };
    Ok(Event::Option(known, value))
}

fn short_options<'a>(
    letters: &[u8],
    rest: &mut impl Iterator<Item = &'a OsString>,
    events: &mut Vec<Event>,
) -> Result<(), Usage> {
    for (at, letter) in letters.iter().enumerate() {
        let shown = char::from(*letter);
        let known =
            by_letter(*letter).ok_or_else(|| Usage::Option(format!("invalid option -{shown}")))?;
        if known.argument != Argument::Required {
            events.push(Event::Option(known, None));
            continue;
        }
        let value = match &letters[at + 1..] {
            [] => rest.next().ok_or_else(|| lacks_argument(&format!("-{shown}")))?.clone(),
            attached => OsStr::from_bytes(attached).to_owned(),
        };
        events.push(Event::Option(known, Some(value)));
        return Ok(());
    }
    Ok(())
}

fn lacks_argument(option: &str) -> Usage {
    Usage::Option(format!("option {option} requires an argument"))
}

fn by_letter(letter: u8) -> Option<&'static Known> {
    TABLE.iter().find(|known| known.short.is_some_and(|short| short == char::from(letter)))
}

/// Returns the option of that name, or the only one that the name abbreviates.
fn by_name(name: &str) -> Result<&'static Known, Usage> {
    let mut candidates: Vec<(&str, &Known)> = Vec::new();
    for known in TABLE {
        for long in known.long {
            if *long == name {
                return Ok(known);
            }
            // Several names of one option are not ambiguous.
            let another = candidates.iter().all(|(_, other)| !same(other, known));
            if long.starts_with(name) && another {
                candidates.push((long, known));
            }
        }
    }
    match candidates[..] {
        [] => Err(Usage::Option(format!("unrecognized option --{name}"))),
        [(_, known)] => Ok(known),
        _ => {
            let names: Vec<_> = candidates.iter().map(|(long, _)| format!("--{long}")).collect();
            let names = names.join(" or ");
            Err(Usage::Option(format!("option --{name} is ambiguous: {names}")))
        }
    }
}

fn same(one: &Known, other: &Known) -> bool {
    !matches!(one.id, Id::Ignored | Id::Unsupported) && one.id == other.id
        || std::ptr::eq(one, other)
}
