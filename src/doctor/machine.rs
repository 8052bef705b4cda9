//! The machine itself: its clock and its supply.

use std::fs;
use std::path::Path;

use super::finding::{Finding, Findings};
use crate::drivers::clock::Clock;

/// What the firmware of a Pi says of its supply, as bits.
const THROTTLED: &str = "devices/platform/soc/soc:firmware/get_throttled";
const UNDER_VOLTAGE_NOW: u32 = 1;
const THROTTLED_NOW: u32 = 1 << 2 | 1 << 1 | 1 << 3;
const UNDER_VOLTAGE_SINCE_BOOT: u32 = 1 << 16;

/// `standing`: what the hub itself makes of its clock, if it was heard. The kernel may tell root what it does not tell a
/// confined service.
pub fn clock(findings: &mut Findings, trusted: bool, standing: Option<&str>) {
    let synced = || standing.map_or_else(|| Clock::new(false).synced(), |standing| standing == "synced");
    findings.add(if trusted {
        Finding::ok("clock", "The clock is trusted, as hub.clock says.")
    } else if synced() {
        Finding::ok("clock", "The clock is synchronised.")
    } else {
        Finding::warn(
            "clock",
            "The clock is not synchronised, or the hub is not told so: times are labels, and old requests are not refused.",
            "Check `timedatectl`; with a battery-backed clock set hub.clock = \"trusted\".",
        )
    });
}

pub fn power(findings: &mut Findings, sys_dir: &Path) {
    let mend = "Use the supply that is made for this Pi and a short cable, and feed siren and relay from a supply of their own.";
    let bits = fs::read_to_string(sys_dir.join(THROTTLED)).ok();
    let bits = bits.and_then(|text| u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok());
    let alarm = low_voltage_alarm(sys_dir);
    let (now, before) = (bits.unwrap_or(0) & UNDER_VOLTAGE_NOW != 0, bits.unwrap_or(0) & UNDER_VOLTAGE_SINCE_BOOT != 0);
    findings.add(match (bits, alarm) {
        _ if now || alarm == Some(true) => Finding::fail("power", "The supply voltage is too low.", mend),
        _ if before => Finding::warn("power", "The supply voltage was too low since the last boot.", mend),
        (Some(bits), _) if bits & THROTTLED_NOW != 0 => Finding::warn(
            "power",
            "The processor is slowed down, most likely because it is too hot.",
            "Give it air or a cooler.",
        ),
        (None, None) => Finding::ok("power", "This machine does not report its supply voltage."),
        _ => Finding::ok("power", "The supply voltage is good."),
    });
}

/// What the kernel's own monitor of a Pi's supply says.
fn low_voltage_alarm(sys_dir: &Path) -> Option<bool> {
    let monitors = fs::read_dir(sys_dir.join("class/hwmon")).ok()?.flatten().map(|entry| entry.path());
    let is_supply =
        |dir: &std::path::PathBuf| fs::read_to_string(dir.join("name")).is_ok_and(|name| name.trim() == "rpi_volt");
    let monitor = monitors.into_iter().find(is_supply)?;
    fs::read_to_string(monitor.join("in0_lcrit_alarm")).ok().map(|alarm| alarm.trim() != "0")
}
