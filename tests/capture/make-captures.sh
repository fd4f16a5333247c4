#!/bin/bash
# Makes the captures in pcap/ with real IKEv2 peers; see README.md.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/all.sh
source "$here/lib/all.sh"

usage() {
    cat <<TEXT
usage: make-captures.sh [--list] [NAME...]

Records captures of real IKEv2 peers in pcap/. Without a NAME, it records all of
them again. --list prints the names. The script needs root.
TEXT
}

list() { declare -F | sed -n 's/^declare -f scenario_//p'; }

clean_up() {
    stop_all
    net_down
}

make_one() {
    name=$1
    declare -F "scenario_$name" >/dev/null || die "no such capture: $name"
    say "== $name"
    clean_up
    if wants_other_kernel "$name"; then
        run_in_uml "$name"
        return
    fi
    defaults
    "scenario_$name"
    clean_up
}

main() {
    case ${1-} in
    --list) list && return ;;
    -*) usage && return ;;
    esac
    ((EUID == 0)) || die "needs root"
    need_tools
    work=$(mktemp -d)
    trap 'clean_up; rm -rf "$work"' EXIT
    trap 'exit 1' INT TERM
    mkdir -p "$here"/{pcap,keys}
    (($#)) || mapfile -t all < <(list)
    for one in "${@:-${all[@]}}"; do
        make_one "$one"
    done
}

main "$@"
