//! Every file of every corpus once more, on stable Rust.

use std::fs;
use std::path::{Path, PathBuf};

/// Beside this crate, or in it where the root package compiles it.
pub fn fuzz() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let inside = package.join("fuzz");
    if inside.is_dir() { inside } else { package.to_path_buf() }
}

fn replay(target: &str, body: fn(&[u8])) {
    let corpus = fuzz().join("corpus").join(target);
    let files = fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()));
    let mut count = 0;
    for file in files {
        let path = file.unwrap().path();
        println!("{}", path.display());
        body(&fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count > 0, "no corpus of {target}");
    body(&[]);
}

/// Every name here is a binary, and every binary is here.
fn assert_all_there(targets: &[&str]) {
    let mut bodies: Vec<String> = targets.iter().map(|target| format!("{target}.rs")).collect();
    let files = fs::read_dir(fuzz().join("fuzz_targets")).unwrap();
    let mut files: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    bodies.sort();
    files.sort();
    if cfg!(not(feature = "rustcrypto")) {
        files.retain(|file| file != "providers.rs");
    }
    assert_eq!(bodies, files);
}

macro_rules! targets {
    ($( $(#[$when:meta])* $target:ident: $body:path; )*) => {
        $(
            $(#[$when])*
            #[test]
            fn $target() {
                replay(stringify!($target), $body);
            }
        )*

        #[test]
        fn every_target_is_replayed() {
            assert_all_there(&[ $( $(#[$when])* stringify!($target), )* ]);
        }
    };
}

targets! {
    conversation: crate::conversation::run;
    decode_bundle: crate::decode::bundle;
    decode_challenge: crate::decode::challenge;
    decode_claim: crate::decode::claim;
    decode_command: crate::decode::command;
    decode_counter_record: crate::records::counter;
    decode_done: crate::decode::done;
    decode_factory_reset: crate::decode::factory_reset;
    decode_grant: crate::decode::grant;
    decode_guest_records: crate::records::guest;
    decode_header_record: crate::records::header;
    decode_install: crate::decode::install;
    decode_owner_records: crate::records::owner;
    decode_owner_view: crate::records::view;
    decode_provision: crate::decode::provision;
    decode_provisioned: crate::decode::provisioned;
    decode_receipt: crate::decode::receipt;
    decode_refused: crate::decode::refused_either;
    decode_release: crate::decode::release;
    decode_reply: crate::decode::reply;
    decode_seed_record: crate::records::seed;
    decode_share_record: crate::records::share;
    decode_slot_record: crate::records::slot;
    decode_unlock: crate::decode::unlock;
    decode_withdraw: crate::decode::withdraw;
    decode_withdrawn: crate::decode::withdrawn;
    limits: crate::limits::run;
    lock_ops: crate::lock_ops::run;
    power_loss: crate::power_loss::run;
    #[cfg(feature = "rustcrypto")]
    providers: sharekey_stage::providers::run;
    service_ops: crate::service_ops::run;
    share_code: crate::share_code::run;
    slot_line: crate::slot_line::run;
}
