#!/bin/bash
# Builds the plugin in release mode and prints its path on stdout. With --all it
# also builds ikev2-keys and prints its path. It installs missing packages first.
# Everything else goes to stderr.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

# The version of the cargo that runs, such as 1.88.
cargo_version() {
    { cargo --version 2>/dev/null || true; } | sed -n 's/^cargo \([0-9]*\.[0-9]*\).*/\1/p'
}

wanted_version() { sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml; }

# An old cargo fails at Cargo.lock before it reads rust-version, and its message
# does not say why.
check_cargo() {
    local version wanted oldest
    version=$(cargo_version)
    wanted=$(wanted_version)
    [ -n "$version" ] || die "cargo does not run: try 'rustup default stable'"
    oldest=$(printf '%s\n' "$version" "$wanted" | sort -V | head -n 1)
    [ "$oldest" = "$wanted" ] ||
        die "cargo has version $version, but $wanted or newer is needed: try 'rustup update stable'"
}

main() {
    local targets=(--lib) built=(libsuricata_ikev2.so)
    if [ "$*" = --all ]; then
        targets+=(--bins) built+=(ikev2-keys)
    elif [ $# != 0 ]; then
        die 'the only option is --all'
    fi
    use_cargo
    "$here/prerequisites.sh" >&2
    check_cargo
    # A changed Cargo.toml may change Cargo.lock. CI uses Cargo.lock as it is.
    cargo build --release "${targets[@]}" ${CI:+--locked} >&2 ||
        die 'the build failed: see above'
    printf '%s\n' "${built[@]/#/$CARGO_TARGET_DIR/release/}"
}

main "$@"
