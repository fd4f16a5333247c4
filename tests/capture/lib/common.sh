# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# Names and small helpers shared by all parts; sourced by make-captures.sh.

# Everything that is installed or written on the way lives here, never in
# the checkout: the captures and key files are copied out at the end.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/suricata-ikev2/peers

# A prefix no one else uses, so that the trap removes only our namespaces.
ns_prefix=ikecap

# Where the peers' files are, as they see it in their trees.
homes=${homes:-/srv/capture}

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $*"
    exit 1
}

# wait_for SECONDS COMMAND...: polls, since none of the peers can notify us.
wait_for() {
    local tries=$(($1 * 5))
    shift
    while ! "$@" >/dev/null 2>&1; do
        ((tries-- > 0)) || return 1
        sleep 0.2
    done
}

# Processes we started, innermost last; stopped by number, never by name,
# because a charon or pluto of the machine's own may be running.
pids=()

stop_pid() {
    kill "$1" 2>/dev/null || return 0
    wait_for 8 gone "$1" || kill -9 "$1" 2>/dev/null
    wait "$1" 2>/dev/null || true # pluto may crash when it ends
}

# forget_pid PID: it has ended, its number may become another process's.
forget_pid() {
    local one left=()
    for one in "${pids[@]}"; do
        [[ $one == "$1" ]] || left+=("$one")
    done
    pids=("${left[@]}")
}

gone() { ! kill -0 "$1" 2>/dev/null; }

stop_all() {
    local i
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        stop_pid "${pids[i]}"
    done
    pids=()
}
