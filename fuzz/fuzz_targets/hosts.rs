#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sos_hub_fuzz::targets::hosts::check(data));
