#!/usr/bin/env bash
# All design models: finds or installs the tools, runs each model and each broken rule, compares with what is
# expected. About half an hour on two cores. Says what it skipped and why; exits 1 on any difference.
#
#   spec/models/run.sh               verifpal, ivy, spin
#   spec/models/run.sh spin ...      only these
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

install() {
    case $1 in
        verifpal) command -v verifpal >/dev/null || cargo install --locked --ignore-rust-version verifpal@1.6.7 ;;
        spin) command -v spin >/dev/null || { [ "$(id -u)" = 0 ] && apt-get install -y spin; } ;;
        ivy) : ;; # makes its own environment where there is a Python 3.10
    esac
}

models=("$@")
[ ${#models[@]} -gt 0 ] || models=(verifpal ivy spin)
different=() skipped=()
for model in "${models[@]}"; do
    printf '\n== %s\n' "$model"
    install "$model" || printf 'could not install %s\n' "$model"
    "./$model/run.sh"
    case $? in
        0) ;;
        77) skipped+=("$model") ;;
        *) different+=("$model") ;;
    esac
done

printf '\n%d models, %d not as expected (%s), %d skipped (%s)\n' "${#models[@]}" "${#different[@]}" \
    "${different[*]-}" "${#skipped[@]}" "${skipped[*]-}"
[ ${#different[@]} -eq 0 ]
