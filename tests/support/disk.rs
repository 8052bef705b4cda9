//! A disk that a test can fill.

use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A file system of some megabytes.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, with the reason on standard error, where this user may not mount.
    pub fn mount(at: &Path) -> Option<SmallDisk> {
        SmallDisk::mount_of(at, c"size=1m")
    }

    /// With these options of tmpfs.
    pub fn mount_of(at: &Path, options: &CStr) -> Option<SmallDisk> {
        fs::create_dir(at).expect("a directory");
        let target = CString::new(at.as_os_str().as_bytes()).expect("a path");
        // SAFETY: the strings live through the call.
        let done =
            unsafe { libc::mount(c"none".as_ptr(), target.as_ptr(), c"tmpfs".as_ptr(), 0, options.as_ptr().cast()) };
        if done != 0 {
            eprintln!("skipped: a tmpfs cannot be mounted here ({})", std::io::Error::last_os_error());
            return None;
        }
        Some(SmallDisk(at.to_owned()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).expect("a file");
        // Until there is no room left.
        while file.write_all(&[1; 512]).is_ok() {}
    }

    pub fn free(&self) {
        fs::remove_file(self.0.join("filler")).expect("the filler");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let target = CString::new(self.0.as_os_str().as_bytes()).expect("a path");
        // The hub may still have files open there: it goes when they do.
        // SAFETY: the string lives through the call.
        unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
    }
}
