//! The targets: what each is called, and what it runs.

pub type Body = fn(&[u8]);

macro_rules! targets {
    ($( $(#[$when:meta])* $target:ident: $body:path; )*) => {
        /// What every target is called.
        pub const NAMES: &[&str] = &[$( stringify!($target), )*];

        /// What a target runs; nothing where there is none of that name, or where it is not built.
        pub fn body(name: &str) -> Option<Body> {
            $(
                $(#[$when])*
                if name == stringify!($target) {
                    return Some($body);
                }
            )*
            None
        }

        #[cfg(test)]
        mod replay {
            $(
                $(#[$when])*
                #[test]
                fn $target() {
                    crate::replay::replay(stringify!($target));
                }
            )*
        }
    };
}

targets! {
    conversation: crate::conversation::run;
    decode_bundle: crate::decode::bundle;
    decode_challenge: crate::decode::challenge;
    decode_claim: crate::decode::claim;
    decode_command: crate::decode::command;
    decode_connect: crate::decode::connect;
    decode_report_request: crate::decode::report_request;
    decode_report: crate::decode::report;
    decode_find_request: crate::decode::find_request;
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
    door: crate::door::run;
    limits: crate::limits::run;
    lock_ops: crate::lock_ops::run;
    power_loss: crate::power_loss::run;
    #[cfg(feature = "rustcrypto")]
    providers: crate::providers::run;
    service_ops: crate::service_ops::run;
    share_code: crate::share_code::run;
    slot_line: crate::slot_line::run;
}
