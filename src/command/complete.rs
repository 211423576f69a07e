//! `forkbench completions SHELL` and `forkbench man`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap_complete::Shell;

/// Flags of `forkbench completions`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  forkbench completions bash > ~/.local/share/bash-completion/completions/forkbench")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints a completion script.
pub fn run(args: &Args, command: &mut clap::Command) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "forkbench", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the manual page, with a section for each subcommand.
pub fn man(command: &clap::Command) -> anyhow::Result<ExitCode> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command.get_subcommands() {
        writeln!(page, ".SH \"FORKBENCH {}\"", subcommand.get_name().to_uppercase())?;
        let man = clap_mangen::Man::new(subcommand.clone());
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    io::stdout().write_all(&page)?;
    Ok(ExitCode::SUCCESS)
}
