#!/bin/bash
# Runs every check and test. Ends with cargo's summaries of the tests.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

# step TITLE COMMAND...
step() {
    say "$1"
    shift
    "$@"
}

# Rustup's minimal profile does not have these components.
check_components() {
    { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1 ||
        die "cargo fmt or clippy is missing: run 'rustup component add rustfmt clippy'"
}

# Makes the bindings again from Suricata's own headers, and compares them with those
# of the project's header. Debian removes old sources, so the headers may not be
# available. The tests below also compare with the crates that Suricata publishes.
check_headers() {
    local headers
    if ! headers=$("$here/suricata.sh" --headers); then
        say 'SKIPPED: the headers could not be downloaded'
        return
    fi
    SURICATA_INCLUDE_DIR=$headers cargo test --test abi the_real_headers
}

# Checks that a build works without rustfmt, which bindgen would call. This build is fast.
# It compiles the whole crate at once, which makes all references weak, as in the released
# plugin.
build_without_rustfmt() {
    RUSTFMT=/nowhere/rustfmt CARGO_TARGET_DIR=$CARGO_TARGET_DIR/without-rustfmt \
        CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
        CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo build --release --lib --quiet --locked
}

# Checks that Suricata loads it, and that it reports what a Suricata lacks.
check_without_rustfmt() {
    build_without_rustfmt
    SURICATA_IKEV2_PLUGIN=$CARGO_TARGET_DIR/without-rustfmt/release/libsuricata_ikev2.so \
        cargo test --test start
}

main() {
    use_cargo
    use_plugin
    check_components
    say "the tests run $("$SURICATA" -V | sed 's/^This is //') with $SURICATA_IKEV2_PLUGIN"
    step 'format' cargo fmt --all --check
    step 'format of the fuzz targets' cargo fmt --manifest-path fuzz/Cargo.toml --check
    step 'lints' cargo clippy --workspace --all-targets -- -D warnings
    step "Suricata's headers" check_headers
    step 'a build without rustfmt' check_without_rustfmt
    step 'fuzzing' "$here/fuzz.sh"
    step 'tests' cargo test --workspace --no-fail-fast
}

main "$@"
