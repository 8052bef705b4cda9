//! Users of this machine: whom files belong to, and as whom something is done.

use std::ffi::CString;
use std::io;
use std::ptr;

use super::Failure;

/// More groups than any service is in.
const MOST_GROUPS: usize = 256;

/// Whom a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
}

/// The user and group of this name; `None`: there is none, or only root could give files away.
pub fn owner(name: &str) -> Option<Owner> {
    // SAFETY: it has no arguments and cannot fail.
    if unsafe { libc::geteuid() } != 0 {
        return None;
    }
    user(name)
}

/// The user and group of this name.
pub fn user(name: &str) -> Option<Owner> {
    let name = CString::new(name).ok()?;
    // SAFETY: `name` ends with NUL, nothing else in this process looks up users at the same time, and what is found is
    // read before the next look-up could overwrite it.
    unsafe {
        let found = libc::getpwnam(name.as_ptr());
        (!found.is_null()).then(|| Owner { uid: (*found).pw_uid, gid: (*found).pw_gid })
    }
}

/// Does something with the rights of this user and of its groups, and takes root's on again. Only root may, and only while
/// nothing else is going on in this process.
///
/// # Errors
///
/// The system refuses to change the user.
pub fn acting_as<T>(name: &str, owner: Owner, act: impl FnOnce() -> T) -> Result<T, Failure> {
    let failed = |error: io::Error| Failure::Failed(format!("The setup cannot act as the user {name} ({error})."));
    let own = own_groups().map_err(failed)?;
    let groups = groups_of(name, owner.gid);
    let acted = take_on(&groups, owner).map(|()| act());
    // In the other order, as only root may do the rest.
    take_on_root(&own).map_err(failed)?;
    acted.map_err(failed)
}

fn groups_of(name: &str, gid: u32) -> Vec<u32> {
    let Ok(name) = CString::new(name) else { return vec![gid] };
    let mut groups = vec![gid; MOST_GROUPS];
    let mut count = MOST_GROUPS as libc::c_int;
    // SAFETY: `name` ends with NUL, and `groups` has room for `count`.
    let found = unsafe { libc::getgrouplist(name.as_ptr(), gid, groups.as_mut_ptr(), &raw mut count) };
    groups.truncate(if found < 0 { 1 } else { usize::try_from(count).unwrap_or(1) });
    groups
}

fn own_groups() -> io::Result<Vec<u32>> {
    // SAFETY: with no room it only counts.
    let count = unsafe { libc::getgroups(0, ptr::null_mut()) };
    let mut groups = vec![0; usize::try_from(count).map_err(|_| io::Error::last_os_error())?];
    // SAFETY: `groups` has room for `count`.
    let count = unsafe { libc::getgroups(count, groups.as_mut_ptr()) };
    groups.truncate(usize::try_from(count).map_err(|_| io::Error::last_os_error())?);
    Ok(groups)
}

fn take_on(groups: &[u32], owner: Owner) -> io::Result<()> {
    // SAFETY: `groups` is as long as it is said to be; the others take numbers.
    unsafe {
        well(libc::setgroups(groups.len(), groups.as_ptr()))?;
        well(libc::setegid(owner.gid))?;
        well(libc::seteuid(owner.uid))
    }
}

fn take_on_root(groups: &[u32]) -> io::Result<()> {
    // SAFETY: as above; the real group is the one that the process began with.
    unsafe {
        well(libc::seteuid(0))?;
        well(libc::setegid(libc::getgid()))?;
        well(libc::setgroups(groups.len(), groups.as_ptr()))
    }
}

fn well(outcome: libc::c_int) -> io::Result<()> {
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
