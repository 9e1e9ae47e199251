//! Describes the commands to clap, for man pages and completions. Their command lines are parsed
//! like gzip's, by [`Call`](super::Call).

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, ValueHint};

use super::getopt::Opt;
use super::options::{BGZIP, Flag, GZIP};

macro_rules! documented {
    ($($(#[$doc:meta])* $name:ident => $table:ident,)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) struct $name;

            impl Args for $name {
                fn augment_args(command: Command) -> Command {
                    describe(command, $table)
                }

                fn augment_args_for_update(command: Command) -> Command {
                    describe(command, $table)
                }
            }

            impl FromArgMatches for $name {
                fn from_arg_matches(_: &ArgMatches) -> Result<Self, Error> {
                    // clap never sees a command that is the first argument.
                    let message = "this command must be the first argument\n";
                    Err(Error::raw(ErrorKind::InvalidSubcommand, message))
                }

                fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), Error> {
                    Ok(())
                }
            }
        )*
    };
}

documented! {
    /// `gzip`.
    Gzip => GZIP,
    /// `gunzip`.
    Gunzip => GZIP,
    /// `zcat`.
    Zcat => GZIP,
    /// `bgzip`.
    Bgzip => BGZIP,
}

fn describe(command: Command, table: &'static [Opt<Flag>]) -> Command {
    let shown = table.iter().filter(|opt| !opt.help.is_empty()).map(|opt| {
        let id = opt.long.first().copied().unwrap_or(opt.short);
        let mut arg = Arg::new(id).help(opt.help);
        arg = match opt.value {
            Some(value) => arg.value_name(value).action(ArgAction::Append),
            None => arg.action(ArgAction::Count),
        };
        if let Some(letter) = opt.short.chars().next() {
            arg = arg.short(letter);
        }
        if let Some((first, others)) = opt.long.split_first() {
            arg = arg.long(*first).visible_aliases(others.iter().copied());
        }
        arg
    });
    let files = Arg::new("FILE").num_args(0..).value_hint(ValueHint::FilePath);
    let files = files.help("Files; with no FILE, or when FILE is -, from stdin to stdout");
    command.disable_help_flag(true).disable_version_flag(true).args(shown).arg(files)
}
