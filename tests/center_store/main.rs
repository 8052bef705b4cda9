//! The center's store through its public interface, with real files: what was committed is there after any restart, an
//! alarm waits for no heartbeat, and nothing is lost while the disk fails.

mod center;
mod damage;
mod keeping;
mod lanes;
mod outage;
mod past;
mod records;
