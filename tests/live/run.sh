#!/bin/bash
# What is set for the parts is not seen when this one is checked alone.
# shellcheck disable=SC2034,SC2154
# Suricata with the plugin between real IKEv2 peers; docs/live.md says more.
set -euo pipefail
shopt -s inherit_errexit

live=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$(dirname "$live")")
# Where the shared parts look for what lies beside them.
here=$root/tests/capture
# Not those of the captures, which may be made at the same time.
homes=/srv/live
# shellcheck source=../capture/lib/all.sh
source "$here/lib/all.sh"
# shellcheck source=suricata.sh
source "$live/suricata.sh"
# shellcheck source=judge.sh
source "$live/judge.sh"
# shellcheck source=outcomes.sh
source "$live/outcomes.sh"
# shellcheck source=inline.sh
source "$live/inline.sh"
# shellcheck source=flood.sh
source "$live/flood.sh"
# shellcheck source=evasion.sh
source "$live/evasion.sh"
# shellcheck source=replay.sh
source "$live/replay.sh"

# What the peers say goes into a file, what we say does not.
exec 3>&2
say() { printf '%s\n' "$*" >&3; }

ns_prefix=ikelive
uml_time=1200
uml_memory=768M
# The scenario that runs.
name=
out=${CARGO_TARGET_DIR:-$root/target}/live

usage() {
    cat <<TEXT
usage: tests/live/run.sh [--list] [--runmode workers|autofp] [NAME...]

Lets real IKEv2 peers talk through a Suricata with the plugin, in network
namespaces, and compares what Suricata reports with what the peers say. NAME is a
scenario; --list prints all scenarios. Without a NAME, all scenarios run in
\`workers\` mode, and some of them in \`autofp\` mode too. The script needs root. If
it cannot run, it says why and ends with success.
TEXT
}

list() { declare -F | sed -n 's/^declare -f live_//p'; }

# skip REASON: what is not to be had here is no failure.
skip() {
    say "SKIPPED: $*"
    exit 0
}

need_abilities() {
    ((EUID == 0)) || skip 'needs root, for network namespaces'
    command -v apt-get >/dev/null || skip 'the peers are Debian packages, but apt-get is missing'
    need_tools
    ip netns add "$ns_prefix-try" 2>/dev/null || skip 'network namespaces are not available'
    local rc=0
    ip -n "$ns_prefix-try" link add one type veth peer name two 2>/dev/null || rc=$?
    ip netns del "$ns_prefix-try"
    ((rc == 0)) || skip 'the kernel has no veth'
}

clean_up() {
    stop_all
    net_down
}

# run_one NAME RUNMODE: its rows are in $out/NAME-RUNMODE then.
run_one() {
    name=$1 runmode=$2
    declare -F "live_$name" >/dev/null || die "no such scenario: $name"
    say "== $name ($runmode)"
    results=$out/$name-$runmode
    rm -rf "$results" "${cache:?}"/*"$homes"
    mkdir -p "$results"
    clean_up
    if wants_other_kernel "$name"; then
        uml_command="$(inside) --runmode $runmode"
        run_in_uml "$name"
        return
    fi
    patient_defaults
    "live_$name" >"$results/log" 2>&1
    clean_up
}

# Inside is no network, and the paths of before hold.
inside() {
    printf 'env SURICATA=%q SURICATA_ETC=%q PLUGIN=%q CARGO_TARGET_DIR=%q %q --inside' \
        "$SURICATA" "$SURICATA_ETC" "$PLUGIN" "$(dirname "$out")" "$live/run.sh"
}

get_ready() {
    need_abilities
    exec 8>"/run/$ns_prefix.lock"
    flock -n 8 || die 'another run is in progress'
    # As in the tests, one that is built already may be named.
    PLUGIN=${SURICATA_IKEV2_PLUGIN:-$("$root/scripts/build.sh")}
    SURICATA=$("$root/scripts/suricata.sh")
    SURICATA_ETC=$("$root/scripts/suricata.sh" --etc)
    say "$("$SURICATA" -V), $PLUGIN"
}

# leave STATUS: what a daemon or tool said before a failure is in the log.
leave() {
    (($1 == 0)) || say "failed${name:+ in $name: $results/log}"
    clean_up
    rm -rf "$work"
}

# What runs: NAME/RUNMODE.
selection() {
    local one
    if (($#)); then
        printf "%s/${runmode:-workers}\n" "$@"
    elif [[ -n $runmode ]]; then
        list | sed "s|\$|/$runmode|"
    else
        list | sed 's|$|/workers|'
        for one in $again_in_autofp; do
            echo "$one/autofp"
        done
    fi
}

main() {
    local runmode='' within='' one chosen
    while [[ ${1-} == -* ]]; do
        case $1 in
        --list) list && return ;;
        --runmode) runmode=${2:?workers or autofp} && shift ;;
        --inside) within=yes ;;
        *) usage && return ;;
        esac
        shift
    done
    [[ -n $within ]] || get_ready
    chosen=$(selection "$@")
    work=$(mktemp -d)
    trap 'leave $?' EXIT
    trap 'exit 1' INT TERM
    for one in $chosen; do
        run_one "${one%/*}" "${one#*/}"
    done
    name=
    [[ -n $within ]] || tables "$chosen" || die "some results are wrong or missed: see $out/*/verdicts.txt"
}

main "$@"
