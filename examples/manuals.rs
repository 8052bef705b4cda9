//! Writes the manual pages and the shell completions of both programs, made from their command lines:
//!
//! ```sh
//! cargo run --no-default-features --example manuals -- DIR
//! ```
//!
//! makes `DIR/man/*.1`, `DIR/bash/*`, `DIR/zsh/_*` and `DIR/fish/*.fish`. What is not installed has no place in them:
//! without default features there is no `sos-hub demo`.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate_to};
use sos_hub::arguments::{center, hub};

fn main() -> io::Result<()> {
    let Some(dir) = env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("name the directory to write into: cargo run --example manuals -- DIR"));
    };
    for command in [hub::Arguments::command(), center::Arguments::command()] {
        // As the builder leaves it: with `help` and the options that every command has.
        let mut manual = command.clone().disable_help_subcommand(true);
        manual.build();
        let source = format!("{} {}", command.get_name(), env!("CARGO_PKG_VERSION"));
        pages(&manual, &source, &subdirectory(&dir, "man")?)?;
        let name = command.get_name().to_owned();
        for (shell, folder) in [(Shell::Bash, "bash"), (Shell::Zsh, "zsh"), (Shell::Fish, "fish")] {
            let folder = subdirectory(&dir, folder)?;
            let made = generate_to(shell, &mut command.clone(), &name, &folder)?;
            if shell == Shell::Bash {
                // bash-completion looks for a file that is named as the program.
                fs::rename(made, folder.join(&name))?;
            }
        }
    }
    Ok(())
}

fn subdirectory(dir: &Path, name: &str) -> io::Result<PathBuf> {
    let path = dir.join(name);
    fs::create_dir_all(&path)?;
    Ok(path)
}

/// A page for the command, and one for each of its subcommands that is not hidden.
fn pages(command: &Command, source: &str, dir: &Path) -> io::Result<()> {
    clap_mangen::Man::new(command.clone()).source(source).generate_to(dir)?;
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        pages(subcommand, source, dir)?;
    }
    Ok(())
}
