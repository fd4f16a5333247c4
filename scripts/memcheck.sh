#!/bin/bash
# Runs a share of the fuzz corpora through Suricata with the plugin under valgrind's
# memcheck. `memcheck.sh --help` says the rest.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

usage() {
    cat <<END
usage: scripts/memcheck.sh

Runs Suricata under valgrind's memcheck, with the plugin and all its rules. Suricata
reads captures that are made from fuzz/corpus. The script fails on an invalid access, on
the use of memory that was not set, and on memory that is definitely lost, if the plugin
is among the callers.

A Suricata that was unpacked into the cache has its own loader and C library. valgrind
accepts these only if they are the system's. So the script uses a chroot, which needs
root, and unpacks Debian's valgrind of the same release into it.
END
}

# Runs the system's own Suricata under the system's own valgrind.
write_plain_wrapper() {
    has valgrind || skip 'valgrind is missing: install it'
    cat >"$2" <<END
#!/bin/sh
exec valgrind $options '$1' "\$@"
END
    chmod 755 "$2"
}

# Paths inside the chroot are the same as outside.
write_chroot_wrapper() {
    cat >"$2" <<END
#!/bin/bash
set -eu
here=\$(pwd)
for folder in /proc /dev /tmp '$project' '$CARGO_TARGET_DIR' '$tree'; do
    mkdir -p "$1\$folder"
    mount --rbind "\$folder" "$1\$folder"
done
export MAGIC=/usr/lib/file/magic.mgc VALGRIND_LIB=/usr/libexec/valgrind
exec chroot '$1' /bin/sh -c 'cd "\$0" && exec "\$@"' "\$here" \\
    /usr/bin/valgrind.bin $options /usr/bin/suricata "\$@"
END
    chmod 755 "$2"
}

skip() { say "SKIPPED: $*"; exit 0; }

is_ready() {
    [ -x "$1/usr/bin/valgrind.bin" ] && cmp -s "$tree/usr/bin/suricata" "$1/usr/bin/suricata"
}

# Makes the folder for the chroot: the unpacked Suricata, valgrind and the symbols of the
# C library.
make_root() {
    local new="$1.new" apt="$1.apt" deb name
    need_keys "$1.keys"
    private_apt "$apt" "$(stanza deb "$mirror" "$release")"
    update "$apt" || die "$no_network"
    cd "$apt/cache/archives"
    fetch "$apt" 'downloading valgrind' download valgrind libc6-dbg || die "$no_network"
    rm -rf "$new"
    cp -a "$tree" "$new"
    for deb in *.deb; do dpkg-deb -x "$deb" "$new"; done
    for name in bin lib lib64 sbin; do [ -e "$new/$name" ] || ln -s "usr/$name" "$new/$name"; done
    cp -L /bin/dash "$new/usr/bin/sh"
    cd "$project"
    rm -rf "$1" "$apt" "$1.keys"
    mv "$new" "$1"
}

main() {
    local project tree root options
    [ $# = 0 ] || { usage; [ "$1" = --help ]; exit; }
    use_cargo
    use_plugin
    project=$PWD
    MEMCHECK="$CARGO_TARGET_DIR/memcheck"
    export MEMCHECK
    options="--leak-check=full --show-leak-kinds=definite --num-callers=40 --error-limit=no \
--log-file=valgrind.log --suppressions='$project/tests/survival/suricata.supp'"
    tree=$(dirname -- "$(readlink -f -- "$SURICATA")")
    root="$tree-memcheck"
    if [ -x "$tree/run-suricata" ]; then
        [ "$(id -u)" = 0 ] || skip 'the chroot needs root'
        is_ready "$root" || make_root "$root"
        write_chroot_wrapper "$root" "$MEMCHECK.inside"
        printf '#!/bin/sh\nexec unshare --mount -- "%s" "$@"\n' "$MEMCHECK.inside" >"$MEMCHECK"
        chmod 755 "$MEMCHECK"
    else
        write_plain_wrapper "$SURICATA" "$MEMCHECK"
    fi
    cargo test --test survival memcheck -- --nocapture
}

main "$@"
