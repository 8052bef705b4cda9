//! A small file system, which can be filled, and made read-only while nobody writes to it.

use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Mounted for as long as this lives.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Of a megabyte. `None` where this user may not mount; that is said on standard error, past what hides the output of
    /// a test that passes.
    pub fn mount(at: &Path) -> Option<SmallDisk> {
        SmallDisk::mount_of(at, c"size=1m")
    }

    /// With these options of tmpfs.
    pub fn mount_of(at: &Path, options: &CStr) -> Option<SmallDisk> {
        fs::create_dir(at).expect("a directory");
        match mount(at, 0, options) {
            Ok(()) => Some(SmallDisk(at.to_owned())),
            Err(error) => {
                let test = std::thread::current();
                let test = test.name().unwrap_or_default();
                writeln!(io::stderr(), "SKIPPED {test}: a tmpfs cannot be mounted here ({error}): run it as root")
                    .expect("standard error");
                None
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Takes all the space that is left.
    pub fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).expect("a file");
        while file.write_all(&[1; 512]).is_ok() {}
    }

    pub fn free(&self) {
        fs::remove_file(self.0.join("filler")).expect("the filler");
    }

    /// The kernel refuses it while a file is open for writing.
    pub fn read_only(&self, read_only: bool) {
        let flags = libc::MS_REMOUNT | if read_only { libc::MS_RDONLY } else { 0 };
        mount(&self.0, flags, c"size=1m").expect("another mode of the disk");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let target = c_path(&self.0);
        // The hub may still have files open there: it goes when they do.
        // SAFETY: the string lives through the call.
        unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
    }
}

fn mount(at: &Path, flags: libc::c_ulong, options: &CStr) -> io::Result<()> {
    let (target, kind) = (c_path(at), c"tmpfs".as_ptr());
    // SAFETY: the strings live through the call.
    let done = unsafe { libc::mount(c"none".as_ptr(), target.as_ptr(), kind, flags, options.as_ptr().cast()) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).expect("a path")
}
