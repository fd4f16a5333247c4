# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# Honest handshakes while forged IKE_SA_INITs come, through a Suricata inline.

# Requests a second, or as many as the machine gives, and for how many seconds.
flood_rate=${FLOOD_RATE:-50000}
flood_time=${FLOOD_TIME:-30}

# An address behind Suricata that is silent, so that the peer's own defence is not
# what is measured; or the peer's.
flood_target=${FLOOD_TARGET:-192.0.2.21}

make_target() {
    if [[ $flood_target == "$outer_right" ]]; then
        # Its answers have to get past Suricata, too.
        netns right ip route add 198.18.0.0/15 via "$outer_left"
        return
    fi
    netns right ip addr add "$flood_target/24" dev to-wire
    netns right nft -f - <<NFT
table ip silent {
    chain in {
        type filter hook prerouting priority raw
        ip daddr $flood_target udp dport 500 drop
    }
}
NFT
}

# Each forged request is a record as well, and all of them would fill a disk.
keep_honest_records() {
    mkfifo "$results/eve.json"
    grep -F "\"$outer_left\"" <"$results/eve.json" >"$results/honest.json" &
    filter_pid=$!
}

end_honest_records() {
    wait "$filter_pid" || die "no record of an honest peer: $results"
    mv "$results/honest.json" "$results/eve.json"
}

start_flood() {
    local mac
    mac=$(netns right cat /sys/class/net/to-wire/address)
    netns_start left python3 "$live/forge.py" flood to-wire "$mac" "$flood_target" \
        "$flood_rate" "$flood_time" >"$results/flood.txt"
    flood_pid=${pids[-1]}
}

# Handshakes until the flood is over: sets tried and passed.
handshakes_meanwhile() {
    tried=0 passed=0
    until gone "$flood_pid"; do
        tried=$((tried + 1))
        if initiate; then
            passed=$((passed + 1))
            terminate || true
        fi
    done
    wait "$flood_pid" || die "the flood failed: $results/log"
    forget_pid "$flood_pid"
}

statistic() { jq -s "last.stats$1 // 0" "$results/stats.json"; }

figures() {
    local sent seconds
    read -r sent seconds <"$results/flood.txt"
    cat <<TEXT
$name: $sent forged IKE_SA_INITs in $seconds s, $(awk "BEGIN { printf \"%d\", $sent / $seconds }") a second
  the kernel had no room for $(kernel_drops) of them, Suricata no flow for $(statistic .ips.drop_reason.flow_memcap);
  $(statistic .app_layer.tx.ikev2) IKEv2 messages parsed, $(statistic .ikev2.sa.evicted) SAs made room for others
  honest handshakes passed: $passed of $tried ($(grep -c ' retransmit ' "$results/left.log" || true) requests sent again)
TEXT
}

live_inline-flood() {
    local tried passed flood_pid filter_pid
    need_python
    opt[charon]=$impatient
    begin_inline
    make_target
    keep_honest_records
    stand_between "$live/failures.rules"
    start_flood
    handshakes_meanwhile
    stop_suricata
    end_honest_records
    judge
    figures >"$results/figures"
}
