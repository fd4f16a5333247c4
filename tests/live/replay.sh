# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# All captures at once past a Suricata that listens: Suricata reads no files in
# its run mode `workers`, so this is where that is compared with `single`.

# Frames of the captures are longer than a cable's usual ones. Suricata has the
# fragments of IP put together before they are dealt out to its threads.
largest_frame=65535

net_replay() {
    add_ns left
    add_ns wire
    link left wire
    netns left ip link set to-wire mtu "$largest_frame"
    netns wire ip link set to-left mtu "$largest_frame"
}

# The test makes the capture, and records of it by one thread.
read_by_one_thread() {
    (cd "$root" && SURICATA=$SURICATA SURICATA_IKEV2_PLUGIN=$PLUGIN \
        cargo test --quiet --test run_modes many_threads) || die "see $results/log"
    truth=${out%/live}/suricata-verify/run-modes
}

# endings FILE: the last that is known of each SA, but for times, which are new.
endings() {
    jq -nSc '[inputs | select(.event_type == "ikev2" and .ikev2.type == "message" and .ikev2.sa).ikev2.sa]
        | group_by(.id)[] | max_by(.messages)
        | {id, state, failure, chosen, messages, retransmissions, nat}' "$1"
}

messages() { jq -n '[inputs | select(.event_type == "ikev2" and .ikev2.type == "message")] | length' "$1"; }

same_messages() {
    (($(messages "$truth/single-0/eve.json") == $(messages "$results/eve.json")))
}

same_endings() {
    endings "$truth/single-0/eve.json" >"$results/single.txt"
    endings "$results/eve.json" >"$results/$runmode.txt"
    [[ -s $results/single.txt ]] && diff "$results/single.txt" "$results/$runmode.txt"
}

nothing_lost() { (($(kernel_drops) == 0)); }

live_replay() {
    local truth
    need_python
    read_by_one_thread
    net_replay
    watch wire to-left
    netns left python3 "$live/replay.py" to-wire "$truth/all.pcap"
    stop_suricata
    expect 'Suricata gets all packets' nothing_lost
    expect 'as many messages as one thread finds' same_messages
    expect 'each SA ends as it does for one thread' same_endings
    checks_row
}
