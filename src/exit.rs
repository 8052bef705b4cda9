//! The exit codes of the programs, as in sysexits.h where there is one.

pub const WELL: u8 = 0;
/// Anything that is neither usage nor configuration: systemd starts the service again, for ever.
pub const FAILED: u8 = 1;
/// EX_USAGE: the command line was not understood.
pub const USAGE: u8 = 64;
/// EX_CONFIG: the configuration has to be mended first; systemd does not start the service again.
pub const CONFIGURATION: u8 = 78;
