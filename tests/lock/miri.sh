#!/usr/bin/env bash
# Is there undefined behaviour on the lock's path? Miri interprets rules of the lock, without an allocator in the
# library: one whole life with real keys on RustCrypto, and, on the symbolic provider, one test of each other path.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! cargo +nightly miri --version; then
    rustup toolchain install nightly --profile minimal -c miri -c rust-src || true
    if ! cargo +nightly miri --version; then
        echo 'NOT RUN: no nightly with Miri here, and none can be installed'
        exit 0
    fi
fi

# Runs exactly these tests under one provider, so that one that was renamed fails instead of being left out.
miri() {
    local provider=$1 log
    shift
    log=$(cargo +nightly miri test --locked --package sharekey-lock-rules --no-default-features --features "$provider" \
        -- --exact "$@" 2>&1) || {
        printf '%s\nFAILED: %s\n' "$log" "$provider" >&2
        exit 1
    }
    grep -q "^test result: ok. $# passed" <<<"$log" || {
        printf '%s\nFAILED: not all of %s ran\n' "$log" "$*" >&2
        exit 1
    }
    printf '%s\n' "$log" | grep '^test '
}

# Provisioned, activated, downloaded, opened: every signature, MAC, derivation and agreement that there is.
miri rustcrypto lock_install::a_good_bundle_installs_and_the_key_opens

miri symbolic \
    allocator::the_library_has_an_allocator_exactly_where_this_package_asks_for_one \
    lock_unlock::an_action_outside_the_rights_is_refused_with_the_reason \
    lock_install_rules::a_rekey_gives_a_new_pairing_key_and_the_old_one_no_longer_opens \
    lock_command_done::a_transfer_begins_the_next_epoch_in_one_write_and_echoes_both_keys \
    lock_pending::an_operation_without_a_record_can_be_given_up_and_frees_its_cell \
    lock_damage::a_damaged_slot_is_still_damaged_after_a_boot \
    lock_reset::the_lock_made_anew_is_another_lock_under_the_same_card
