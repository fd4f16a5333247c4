#!/bin/bash
# Finds or fetches a runnable Suricata 8.0.x and prints its path on stdout.
# Everything else goes to stderr. `suricata.sh --help` says the rest.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"

wanted='8.0'
instead="Otherwise install a Suricata $wanted.x and set SURICATA to its path."
[ -n "${IKEV2_CACHE:-}${XDG_CACHE_HOME:-}${HOME:-}" ] || die "set HOME or IKEV2_CACHE"
cache=${IKEV2_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/suricata-ikev2}
case $cache in /*) ;; *) cache=$PWD/$cache ;; esac
tree="$cache/suricata"
headers="$cache/headers"
apt="$cache/apt"
# Increase the number if a change below makes existing caches unusable.
recipe=2
refresh=''

usage() {
    cat <<'END'
usage: scripts/suricata.sh [--refresh] [--etc | --rules | --elf | --headers]

Prints the path of a Suricata 8.0.x that can run. It takes the first of these:

1. $SURICATA, if it is set
2. suricata on PATH, if it is an 8.0.x
3. Debian's package from trixie-backports, unpacked into a private cache

The cache needs no root and does not change the packages of the system. apt
checks the signatures of the packages.

  --etc      print the folder of its suricata.yaml, classification.config
             and reference.config instead
  --rules    print the folder of its own rules instead
  --elf      print the path of its program instead, if the path above is a
             wrapper script
  --headers  print the folder of the C headers of a Suricata 8.0.x instead
             (for SURICATA_INCLUDE_DIR)
  --refresh  first build the cached files again, from today's packages

The cache is $IKEV2_CACHE, else $XDG_CACHE_HOME/suricata-ikev2, else
~/.cache/suricata-ikev2. You may remove it at any time.
END
}

# --- which Suricata ---------------------------------------------------------

# The version a binary reports, or nothing when it does not run.
version_of() {
    { "$1" -V 2>/dev/null || true; } | sed -n 's/^This is Suricata version \([^ ]*\).*/\1/p'
}

is_wanted() { case $1 in "$wanted".*) ;; *) return 1 ;; esac; }

# Makes a path absolute, so that callers may change the folder. A link stays a link.
absolute() { printf '%s/%s\n' "$(cd -- "$(dirname -- "$1")" && pwd)" "$(basename -- "$1")"; }

from_variable() {
    local path version
    path=$(type -P "$SURICATA" || true)
    if [ ! -x "${path:-/none}" ]; then
        die "SURICATA=$SURICATA is not an executable file; set it to a Suricata $wanted.x"
    fi
    version=$(version_of "$path")
    is_wanted "$version" ||
        die "SURICATA=$SURICATA has version '${version:-unknown}'; a $wanted.x is needed"
    absolute "$path"
}

from_path() {
    local path version
    path=$(type -P suricata || true)
    [ -n "$path" ] || return 1
    version=$(version_of "$path")
    if is_wanted "$version"; then
        absolute "$path"
    else
        say "$path is not used: it has version '${version:-unknown}', not $wanted.x"
        return 1
    fi
}

find_suricata() {
    if [ -n "${SURICATA:-}" ]; then from_variable; else from_path || from_cache; fi
}

# --- the cache --------------------------------------------------------------

# stamp FOLDER: the contents that the folder's `stamp` file must have.
stamp() { printf '%s %s %s\n' "$recipe" "$(uname -m)" "$1"; }

is_stamped() { [ -f "$1/stamp" ] && [ "$(cat "$1/stamp")" = "$(stamp "$1")" ]; }

# put_in_place FOLDER: FOLDER.new becomes FOLDER. The old folder stays until the
# new one is complete.
put_in_place() {
    stamp "$1" >"$1.new/stamp"
    rm -rf "$1.old"
    if [ -e "$1" ]; then mv "$1" "$1.old"; fi
    mv "$1.new" "$1"
    rm -rf "$1.old"
}

# cached CHECK BUILD: runs BUILD if CHECK says that its result is missing. Only one
# process builds at a time. A process that waited finds the result.
cached() {
    local check=$1 build=$2
    if [ -n "$refresh" ] || ! "$check"; then
        need_cache
        exec 9>"$cache/suricata.lock"
        flock 9
        if [ -n "$refresh" ] || ! "$check"; then
            need_keys "$apt-keys"
            "$build"
            rm -rf "$apt" "$apt"-{keys,source,libraries}
        fi
        exec 9>&-
    fi
}

need_cache() {
    local tool
    for tool in apt-get apt-cache dpkg dpkg-deb flock; do
        has "$tool" || die "$tool is missing: the download of Suricata needs Debian's tools. $instead"
    done
    mkdir -p "$cache" 2>/dev/null || true
    [ -w "$cache" ] || die "cannot write to $cache; set IKEV2_CACHE to a folder of your own"
}

# --- the cached Suricata ----------------------------------------------------

from_cache() {
    cached tree_is_ready build_tree
    printf '%s\n' "$tree/run-suricata"
}

# This starts the real Suricata, and is fast enough for every run.
tree_is_ready() {
    is_stamped "$tree" && [ -f "$tree/etc/suricata/suricata.yaml" ] &&
        is_wanted "$(version_of "$tree/run-suricata")"
}

build_tree() {
    local new="$tree.new"
    download
    unpack "$new"
    adapt_configuration "$new/etc/suricata/suricata.yaml"
    write_wrapper "$new/run-suricata"
    is_wanted "$(version_of "$new/run-suricata")" ||
        die "the downloaded Suricata does not run: $("$new/run-suricata" -V 2>&1 | head -n 2)"
    put_in_place "$tree"
    say "Suricata $(version_of "$tree/run-suricata") is in $tree"
}

download() {
    local version
    private_apt "$apt" \
        "$(stanza deb "$mirror" "$release" "$release-updates" "$release-backports")" \
        "$(stanza deb "$mirror-security" "$release-security")"
    stand_ins >"$apt/status"
    update "$apt" || die "$no_network $instead"
    version=$(candidate)
    is_wanted "${version#*:}" ||
        die "$release-backports has suricata '${version:-none}', not $wanted.x. $instead"
    fetch "$apt" "downloading suricata $version and its libraries" \
        --yes --no-install-recommends --download-only install "suricata/$release-backports" ||
        die "$no_network $instead"
}

# Suricata's package depends on two packages that only its side tools use. Apt
# gets the information that they are installed. This saves a third of the download.
stand_ins() {
    local package
    for package in python3 procps; do
        printf 'Package: %s\nStatus: install ok installed\nVersion: 999:0\n' "$package"
        printf 'Architecture: %s\nMulti-Arch: allowed\n' "$(dpkg --print-architecture)"
        printf 'Maintainer: nobody\nDescription: stand-in\n\n'
    done
}

candidate() {
    { in_apt "$apt" apt-cache show "suricata/$release-backports" 2>/dev/null || true; } |
        sed -n '0,/^Version: /s/^Version: //p'
}

# The file names of the packages that apt chose. An interrupted download may have
# left other versions in the folder.
chosen() {
    in_apt "$apt" apt-get -s --no-install-recommends install "suricata/$release-backports" |
        sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*\[\([^]]*\)\]).*/\1_\2_\3.deb/p' | sed 's/:/%3a/g'
}

unpack() {
    local new=$1 debs deb
    rm -rf "$new"
    mkdir -p "$new"
    debs=$(chosen)
    for deb in $debs; do
        if ! dpkg-deb -x "$apt/cache/archives/$deb" "$new"; then
            rm -rf "$apt"
            die "unpacking $deb failed; run this again"
        fi
    done
    # No run of Suricata needs these files.
    rm -rf "$new"/usr/share/{doc,man,locale,lintian,gdb} "$new"/usr/lib/*/gconv
}

# Changes the stock configuration to paths in the tree: Suricata reads its files
# from the tree, writes its caches and logs there, and opens no control socket.
adapt_configuration() {
    local here
    here=$(printf '%s' "$tree" | sed 's/[&|\\]/\\&/g')
    sed -i -e "s|/etc/suricata|$here&|g; s|/var/lib/suricata|$here&|g; s|/var/log/suricata|$here&|g" \
        -e 's|^# threshold-file:|threshold-file:|' \
        -e '/^unix-command:/,/^  enabled:/s|^  enabled: .*|  enabled: no|' "$1"
    mkdir -p "${1%/etc/*/*}/var/lib/suricata/rules" "${1%/etc/*/*}/var/log/suricata"
}

# The tree's own loader and C library run the binary, because those of the system
# may be older. A plugin may have been built with older ones too.
write_wrapper() {
    cat >"$1" <<'END'
#!/bin/sh
# Runs the Suricata unpacked in this folder with the libraries beside it.
here=$(dirname -- "$(readlink -f -- "$0")")
for loader in "$here"/usr/lib/*/ld-linux-*.so.*; do break; done
export MAGIC="${MAGIC:-$here/usr/lib/file/magic.mgc}"
exec "$loader" --argv0 suricata --library-path "${loader%/*}" "$here/usr/bin/suricata" "$@"
END
    chmod 755 "$1"
}

# --- what belongs to a Suricata ---------------------------------------------

# build_info BINARY LABEL: a value from its --build-info.
build_info() { "$1" --build-info | sed -n "s|^ *$2:\\{0,1\\}  *\\(.*[^/]\\)/*\$|\\1|p" | head -n 1; }

# beside BINARY: the folder of a wrapper that this script wrote.
beside() { dirname -- "$(readlink -f -- "$1")"; }

etc_of() {
    local etc
    etc="$(beside "$1")/etc/suricata"
    if [ ! -f "$etc/suricata.yaml" ]; then etc=$(build_info "$1" 'Configuration directory'); fi
    [ -f "$etc/suricata.yaml" ] || die "no suricata.yaml of $1 in '$etc'"
    printf '%s\n' "$etc"
}

# Debian has the rules in the folder of the configuration, upstream in another one.
rules_of() {
    local rules
    for rules in "$(etc_of "$1")/rules" "$(build_info "$1" --datarootdir)/suricata/rules"; do
        if [ -f "$rules/decoder-events.rules" ]; then
            printf '%s\n' "$rules"
            return
        fi
    done
    die "no rules of $1 in '$rules'"
}

# The file with the symbols that a plugin binds to.
elf_of() {
    local program
    for program in "$(readlink -f -- "$1")" "$(beside "$1")/usr/bin/suricata"; do
        if [ "$(head -c 4 -- "$program" 2>/dev/null | tail -c 3)" = ELF ]; then
            printf '%s\n' "$program"
            return
        fi
    done
    die "$1 is a wrapper script: set SURICATA to the program that it starts"
}

# --- headers ----------------------------------------------------------------
# Debian has no package of Suricata's headers. Layouts are the same in every
# 8.0.x, so the headers may be from another 8.0.x than the one that runs.

find_headers() {
    local binary='' include
    if [ -n "${SURICATA:-}" ]; then binary=$(from_variable); else binary=$(from_path) || true; fi
    if [ -n "$binary" ]; then
        include="$(build_info "$binary" --prefix)/include/suricata"
        if [ -f "$include/suricata-plugin.h" ]; then
            printf '%s\n' "$include"
            return
        fi
    fi
    cached headers_are_ready build_headers
    printf '%s\n' "$headers"
}

headers_are_ready() { is_stamped "$headers" && [ -f "$headers/suricata-plugin.h" ]; }

build_headers() {
    local new="$headers.new"
    fetch_source
    rm -rf "$new"
    mkdir -p "$new"
    unpack_headers "$new"
    add_library_headers "$new"
    write_autoconf "$(cat "$new/version")" >"$new/autoconf.h"
    put_in_place "$headers"
    say "the headers of Suricata $(cat "$headers/version") are in $headers"
}

# From backports, else from the next release of Debian.
fetch_source() {
    local suite version
    for suite in "$release-backports" forky; do
        rm -rf "$apt-source"
        private_apt "$apt-source" "$(stanza deb-src "$mirror" "$suite")"
        update "$apt-source" || continue
        version=$(in_apt "$apt-source" apt-cache showsrc --only-source suricata |
            sed -n 's/^Version: //p' | sort -V | tail -n 1)
        is_wanted "${version#*:}" || continue
        cd "$apt-source"
        fetch "$apt-source" "downloading the source of suricata $version" \
            source --download-only --tar-only "suricata/$suite" && return
    done
    die "the source of a Suricata $wanted.x could not be downloaded. $no_network Otherwise set" \
        "SURICATA_INCLUDE_DIR to the folder of its headers (make install-headers)."
}

# Puts all headers in one folder, like upstream's `make install-headers`.
unpack_headers() {
    local tarball
    for tarball in "$apt-source"/suricata_*.orig.tar.*[a-z]; do
        case $tarball in *.asc) ;; *) break ;; esac
    done
    tar -xf "$tarball" -C "$1" --strip-components=1 --wildcards --no-wildcards-match-slash \
        '*/src/*.h' '*/rust/dist/*.h' '*/rust/dist/htp/*.h'
    mv "$1"/src/*.h "$1"/rust/dist/* "$1"
    rm -r "$1/src" "$1/rust"
    basename "$tarball" | sed 's/^suricata_//; s/\.orig.*//' >"$1/version"
    rm -rf "$apt-source"
}

# Adds the headers of other projects that suricata-common.h includes, so that you
# need not install them.
add_library_headers() {
    local deb root="$apt-libraries"
    private_apt "$root" "$(stanza deb "$mirror" "$release")"
    update "$root" || die "$no_network"
    cd "$root/cache/archives"
    fetch "$root" 'downloading the headers of its libraries' \
        download libpcre2-dev libjansson-dev libpcap0.8-dev libmagic-dev || die "$no_network"
    for deb in *.deb; do dpkg-deb -x "$deb" "$root/unpacked"; done
    cp -R "$root/unpacked/usr/include/." "$1"
    cd "$cache"
    rm -rf "$root"
}

# write_autoconf VERSION: writes what `configure` finds on any Linux with a C11
# compiler, if the headers need it.
write_autoconf() {
    local name
    cat <<END
/* Written by scripts/suricata.sh instead of configure.
 *
 * The packet capture methods are left out, because they need their own headers.
 * So the layout of Packet after its capture part is not the real one. */
#pragma once
#define PACKAGE_NAME "suricata"
#define PACKAGE_VERSION "$1"
#define VERSION PACKAGE_VERSION
#define CLS 64
#define TLS_C11 1
/* configure sets this one on the compiler's command line */
#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH 8
#endif
END
    for name in ARPA_INET ASSERT CTYPE DIRENT ERRNO FCNTL GRP INTTYPES LIBGEN LIMITS MALLOC \
        MATH NETDB NETINET_IN PCAP PCAP_PCAP POLL PWD SCHED SIGNAL STDARG STDATOMIC STDBOOL \
        STDDEF STDINT STDIO STDLIB STRING STRINGS SYSLOG SYS_IOCTL SYS_MMAN SYS_PRCTL \
        SYS_QUEUE SYS_RANDOM SYS_SOCKET SYS_STAT SYS_SYSCALL SYS_TIME SYS_TYPES TIME UNISTD \
        UTIME; do
        printf '#define HAVE_%s_H 1\n' "$name"
    done
    for name in MAGIC JA3 JA4 PTHREAD_SPIN_UNLOCK SETVBUF STRPTIME FWRITE_UNLOCKED; do
        printf '#define HAVE_%s 1\n' "$name"
    done
}

# --- what to print ----------------------------------------------------------

main() {
    local print='' binary
    while [ $# -gt 0 ]; do
        case $1 in
            --refresh) refresh=yes ;;
            --etc | --rules | --elf | --headers) print=$1 ;;
            -h | --help) usage; exit ;;
            *) usage >&2; die "unknown argument: $1" ;;
        esac
        shift
    done
    case $print in
        --headers) find_headers ;;
        *)
            binary=$(find_suricata)
            case $print in
                --etc) etc_of "$binary" ;;
                --rules) rules_of "$binary" ;;
                --elf) elf_of "$binary" ;;
                *) printf '%s\n' "$binary" ;;
            esac
            ;;
    esac
}

main "$@"
