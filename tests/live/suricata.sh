# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# Suricata with the plugin on interfaces of a namespace.

suricata_pid=

# Two threads, also where there is one core: flows of one SA are then parsed in
# an order that is not sure.
watch_config() {
    cat <<YAML
%YAML 1.1
---
af-packet:
  - interface: $1
    threads: 2
    cluster-id: 77
    cluster-type: cluster_flow
    tpacket-v3: yes
YAML
}

# watch NS INTERFACE: it only listens.
watch() {
    watch_config "$2" >"$work/capture.yaml"
    start_suricata "$1" --af-packet="$2" -s "$live/failures.rules"
}

# start_suricata NS ARGUMENT...: with the project's rules.
start_suricata() {
    rm -f "$results/suricata.log"
    netns_start "$1" "$SURICATA" -c "$root/suricata-config/demo.yaml" \
        --include "$work/capture.yaml" -l "$results" --runmode "$runmode" \
        --set "plugins.0=$PLUGIN" \
        --set "default-rule-path=$root/rules" \
        --set "classification-file=$SURICATA_ETC/classification.config" \
        --set "reference-config-file=$SURICATA_ETC/reference.config" \
        --set unix-command.enabled=no "${@:2}" >"$results/suricata.log" 2>&1
    suricata_pid=${pids[-1]}
    wait_for 120 suricata_runs || die "Suricata did not start: $results/suricata.log"
    grep -q 'suricata-ikev2 [0-9].*: parser on' "$results/suricata.log" ||
        die "Suricata did not load the plugin: $results/suricata.log"
}

suricata_runs() { grep -q 'Engine started' "$results/suricata.log"; }

# It writes what it holds. The last packets are given time to reach it.
stop_suricata() {
    sleep 2
    kill -0 "$suricata_pid" 2>/dev/null || die "Suricata is gone: $results/suricata.log"
    kill "$suricata_pid"
    wait_for 120 gone "$suricata_pid" || die 'Suricata does not end'
    wait "$suricata_pid" || die "Suricata failed: $results/suricata.log"
    forget_pid "$suricata_pid"
    suricata_pid=
}

# Packets that the kernel had no room for. What they said nobody can report.
kernel_drops() {
    sed -n 's/^.*: packets: [0-9]*, drops: \([0-9]*\).*/\1/p' "$results/suricata.log" |
        awk '{ sum += $1 } END { print sum + 0 }'
}
