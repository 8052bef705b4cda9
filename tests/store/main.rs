//! The store through its public interface, with real files: what was committed is there after any restart, and no
//! trouble with the disk or the file stops it.

mod damage;
mod hub;
mod keeping;
mod outage;
mod past;
mod records;
