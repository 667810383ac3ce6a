#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sharekey_fuzz::service_ops::run(data));
