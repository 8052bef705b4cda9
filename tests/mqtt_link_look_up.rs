//! The MQTT link where the name of the broker is slow to be looked up.

mod support;

use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::time::Duration;

use libc::addrinfo;
use sos_hub::drivers::mqtt::LinkSettings;
use support::link::{settings, start};
use support::mosquitto::Mosquitto;
use support::pace;

/// Longer than glibc waits for a first name server that is dead.
const DEAD_NAME_SERVER: Duration = Duration::from_secs(6);

#[test]
fn a_name_that_the_second_name_server_knows_is_waited_for() {
    let broker = Mosquitto::start("");
    let (_link, heard) = start(LinkSettings { host: "slow.example".into(), ..settings(broker.port()) });
    // Nothing else comes before that.
    heard.up();
}

type LookUp = unsafe extern "C" fn(*const c_char, *const c_char, *const addrinfo, *mut *mut addrinfo) -> c_int;

/// The system's own look-up, in the place of libc's for this whole program. It knows one name more, and that only after
/// a while, as with a dead name server before one that answers.
///
/// # Safety
///
/// As of libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getaddrinfo(
    name: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    found: *mut *mut addrinfo,
) -> c_int {
    // SAFETY: the name is a C string if there is one, and libc's function is of this type.
    unsafe {
        let is_slow = !name.is_null() && CStr::from_ptr(name) == c"slow.example";
        let name = if is_slow { c"127.0.0.1".as_ptr() } else { name };
        if is_slow {
            pace(DEAD_NAME_SERVER);
        }
        let system = libc::dlsym(libc::RTLD_NEXT, c"getaddrinfo".as_ptr());
        assert!(!ptr::eq(system, ptr::null()), "libc's getaddrinfo");
        std::mem::transmute::<*mut libc::c_void, LookUp>(system)(name, service, hints, found)
    }
}
