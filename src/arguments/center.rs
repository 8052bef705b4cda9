//! The command line of `sos-center`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::center::DEFAULT_PATH;

/// What `sos-center` was asked to do.
#[derive(Parser)]
#[command(
    name = "sos-center",
    version,
    about = "A monitoring center: it takes the alarms of SOS hubs and leads its operators through each",
    arg_required_else_help = true
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

/// What there is to do.
#[derive(Subcommand)]
pub enum Command {
    /// Run the monitoring center
    Run(ConfigFile),
    /// Look for every problem of the configuration file
    Check(ConfigFile),
    /// The families that are looked after
    #[command(subcommand)]
    Account(AccountCommand),
    /// The people who may log in to the console
    #[command(subcommand)]
    Operator(OperatorCommand),
}

/// What there is to do with accounts.
#[derive(Subcommand)]
pub enum AccountCommand {
    /// Add an account, and write what its hub needs
    Add(AddAccount),
    /// List the accounts
    List {
        #[command(flatten)]
        config: ConfigFile,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change the plan of an account
    Plan {
        account: String,
        /// One of the configuration's plans, or `none`
        plan: String,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// End an account; `account add` opens it again
    Close {
        account: String,
        #[command(flatten)]
        config: ConfigFile,
    },
}

/// A new account.
#[derive(Args)]
pub struct AddAccount {
    /// Letters, digits, - and _
    pub account: String,
    #[command(flatten)]
    pub config: ConfigFile,
    /// Who lives there
    #[arg(long, default_value = "")]
    pub name: String,
    /// Where help is sent
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub address: String,
    /// One of the configuration's plans, or `none`
    #[arg(long)]
    pub plan: String,
    /// Whom to call; once for each, in order
    #[arg(long, value_name = "NAME:PHONE")]
    pub contact: Vec<String>,
    /// The verbal password that cancels an alarm
    #[arg(long, value_name = "WORD", conflicts_with = "password_file")]
    pub password: Option<String>,
    /// A file with the verbal password in its first line, so that other users do not see it
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// A new directory for what the hub needs
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The hub's own public key (PEM), where the hub has made its key itself
    #[arg(long, value_name = "FILE.pub")]
    pub hub_key: Option<PathBuf>,
}

/// What there is to do with operators.
#[derive(Subcommand)]
pub enum OperatorCommand {
    /// Add an operator; asks for the password, or reads it from standard input
    Add {
        name: String,
        /// A file with the password in its first line
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// List the operators
    List(ConfigFile),
    /// Remove an operator
    Remove {
        name: String,
        #[command(flatten)]
        config: ConfigFile,
    },
}

/// Which configuration a command works with.
#[derive(Args)]
pub struct ConfigFile {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_PATH)]
    pub config: PathBuf,
}
