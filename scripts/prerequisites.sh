#!/bin/bash
# Installs missing packages for the build and the tests with apt-get. Prints on
# stderr what it installs and why. Does nothing if everything is installed.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"

usage() {
    cat <<'END'
usage: scripts/prerequisites.sh [--check]

Installs missing Debian packages that are needed to build and test the plugin. It
needs root or sudo. Install Rust from https://rustup.rs.

  --check  only print what is missing, and fail if something is missing
END
}

# --- what is installed ----------------------------------------------------------

# Cargo links with `cc`, and libc's start files come in a package of their own.
has_linker() {
    has cc && printf 'int main(void) { return 0; }\n' | cc -x c - -o /dev/null 2>/dev/null
}

# bindgen loads libclang (not libclang-cpp). libclang finds the compiler's own
# headers (stddef.h and the like) in its own folder.
has_libclang() {
    local folder
    for folder in "${LIBCLANG_PATH:-}" /usr/lib/llvm-*/lib /usr/lib64 /usr/lib; do
        if { exists "$folder/libclang.so*" || exists "$folder/libclang-[0-9]*.so*"; } &&
            exists "$folder/clang/*/include/stddef.h"; then
            return
        fi
    done
    return 1
}

# The fuzz targets are linked with libFuzzer, which cargo builds from its C++ source.
has_cxx() {
    has c++ && printf '#include <atomic>\n' | c++ -x c++ -fsyntax-only - 2>/dev/null
}

exists() { compgen -G "$1" >/dev/null; }

has_cargo() { has cargo || [ -x "${CARGO_HOME:-${HOME:-}/.cargo}/bin/cargo" ]; }

# Only needed to download a Suricata, not if $SURICATA is set.
has_debian_keys() { [ -n "${SURICATA:-}" ] || [ -e "$keyring" ]; }
has_flock() { [ -n "${SURICATA:-}" ] || has flock; }

# --- what to install --------------------------------------------------------

# `libclang-dev` needs 240 MB, but bindgen needs only two parts of it. Their names
# contain the version of this release, which the package lists show.
libclang_packages() {
    local version
    version=$({ apt-cache show libclang-dev 2>/dev/null || true; } |
        sed -n 's/^Depends:.*libclang-\([0-9]*\)-dev.*/\1/p' | head -n 1)
    if [ -n "$version" ]; then
        printf 'libclang1-%s libclang-common-%s-dev\n' "$version" "$version"
    else
        printf 'libclang-dev\n'
    fi
}

# One line for each thing that is missing: its packages, a colon, and why.
missing() {
    has_linker || echo "gcc libc6-dev: cargo links with the C compiler"
    has_cxx || echo "g++: the fuzz targets are linked with libFuzzer, which is C++"
    has_libclang || echo "$(libclang_packages): bindgen reads Suricata's C headers with libclang"
    has_debian_keys || echo "debian-archive-keyring: checks the downloaded Suricata"
    has_flock || echo "util-linux: flock, for the cache of the downloaded Suricata"
    has openssl || echo "openssl: encrypts messages that the tests decrypt"
    has jq || echo "jq: make demo and make live read records with it"
}

packages() { missing | sed 's/:.*//' | tr '\n' ' '; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

install_missing() {
    has apt-get || die "apt-get is missing: install a C compiler and libclang with its headers yourself"
    [ "$(id -u)" = 0 ] || has sudo ||
        die "this needs root or sudo. Run as root: apt-get install $(packages)"
    say 'apt-get update'
    as_root apt-get -qq update >&2
    missing | sed "s/^/$program: installing /" >&2
    # shellcheck disable=SC2046 # one word a package
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o Dpkg::Use-Pty=0 install --yes --no-install-recommends $(packages) >&2 ||
        die "apt-get could not install $(packages)(see above). Is there a network?"
    [ -z "$(missing)" ] || die "still missing: $(missing)"
}

main() {
    local lacking status=0
    lacking=$(missing)
    case "$#${1:-}" in
        0) if [ -n "$lacking" ]; then install_missing; fi ;;
        1--check)
            if [ -n "$lacking" ]; then
                printf '%s\n' "$lacking" | sed "s/^/$program: missing /" >&2
                status=1
            fi
            ;;
        1-h | 1--help) usage; exit ;;
        *) usage >&2; exit 2 ;;
    esac
    if ! has_cargo; then
        say 'cargo is missing: install Rust with rustup, see https://rustup.rs'
        status=1
    fi
    exit "$status"
}

main "$@"
