#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sharekey_fuzz::lock_ops::run(data));
