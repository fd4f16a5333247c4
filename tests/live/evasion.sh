# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# Whatever a real peer answers must have been reported: odd requests, and odd
# handshakes, alone and after datagrams of other kinds.

# How many messages to send to each peer, and what they are made from.
evasion_requests=${REQUESTS:-2000}
evasion_seed=${SEED:-1}

# The sender stands in the middle, with the addresses of 198.18.0.0/15.
net_evasion() {
    add_ns wire
    add_ns right
    link wire right
    # For messages with many payloads; fragments of IP are another matter.
    netns wire ip link set to-right mtu 9000
    netns right ip link set to-wire mtu 9000
    netns wire ip addr add "$outer_left/24" dev to-right
    netns right ip addr add "$outer_right/24" dev to-wire
    netns right ip route add 198.18.0.0/15 via "$outer_left"
    # What the namespace itself would say of datagrams that are not its own.
    netns wire nft -f - <<NFT
table ip quiet {
    chain in {
        type filter hook prerouting priority raw
        udp sport 1-65535 drop
    }
}
NFT
    other_ports
}

# The ports are those of case.py.
other_ports() {
    netns right nft -f - <<NFT
table ip nat {
    chain in {
        type nat hook prerouting priority dstnat
        udp dport { 53, 123, 443, 1194, 3478, 5000, 5060, 6881, 51820 } redirect to :500
        udp dport { 88, 161, 389, 4433, 5004, 5353, 10000, 44818 } redirect to :4500
    }
}
NFT
}

# Neither peer may stop to answer because many ask.
tolerant_charon() {
    opt[without]=kernel-libipsec
    opt[right.remote_addrs]=%any
    opt[right.conn]='proposals = chacha20poly1305-prfsha256-curve25519
unique = never'
    opt[right.charon]+='
cookie_threshold = 0
block_threshold = 0
half_open_timeout = 10
threads = 8'
}

# With what Suricata took each flow for, to say it of those that were missed.
watch_flows() {
    watch_config to-right >"$work/capture.yaml"
    cat >>"$work/capture.yaml" <<YAML
outputs:
  - eve-log:
      enabled: yes
      filetype: regular
      filename: eve.json
      types: [alert, ike, flow]
YAML
    start_suricata wire --af-packet=to-right
}

# send_odd CHILDREN COMMAND: COMMAND starts the peer again when it has crashed.
send_odd() {
    local sender
    netns_start wire python3 "$live/evasion/send.py" "$ns_prefix-right" "$results" \
        "$evasion_seed" "$evasion_requests" "$1" ${ONLY:+"$ONLY"} >"$results/sent.txt"
    sender=${pids[-1]}
    crashes=0
    until gone "$sender"; do
        "$2"
        sleep 0.2
    done
    wait "$sender" || die "the sender failed: $results/log"
    forget_pid "$sender"
}

# The first crash of a peer is its own fault, the tenth a useless run.
count_crash() {
    crashes=$((crashes + 1))
    ((crashes < 10)) || die "the peer crashes all the time: $results"
    forget_pid "$1"
}

charon_again() {
    gone "${charon_pid[right]}" || return 0
    count_crash "${charon_pid[right]}"
    rm -f "$tree$(home right)/vici"
    start_charon right
}

pluto_again() {
    gone "$pluto_pid" || return 0
    count_crash "$pluto_pid"
    cp "$pluto_tree$(home right)/pluto.log" "$results/crash-$crashes.log"
    start_pluto right
}

end_evasion() {
    stop_suricata
    answers_enough || die "the peer hardly answers: $results/sent.txt"
    python3 "$live/evasion/compare.py" "$results" >"$results/compared.txt"
    # Each has its capture.
    grep -v '^right' "$results/verdicts.txt" | head -n 20 | cut -c 1-400 >&3 || true
    printf '%s\t%s\t%s\t%s\n' "$name" "$runmode" "$(count right '')" \
        "$(grep -vc '^right' "$results/verdicts.txt" || true)" >"$results/checks"
    evasion_figures >"$results/figures"
}

# Where the peer is silent nothing is missed, and nothing is tried.
answers_enough() {
    local cases sent answered
    read -r cases sent answered <"$results/sent.txt"
    [[ -n ${ONLY-} ]] || ((answered * 3 > sent))
}

evasion_figures() {
    printf '%s: SEED=%s, %s\n' "$name" "$evasion_seed" "$(cat "$results/compared.txt")"
    ((crashes == 0)) || printf '  the peer crashed %s times and was started again\n' "$crashes"
    [[ ! -e $results/missed ]] ||
        printf '  captures in %s, causes in %s\n' "$results/missed" "$results/causes.txt"
}

live_evasion-strongswan() {
    local crashes
    need_python
    use_strongswan
    net_evasion
    prepare_homes
    tolerant_charon
    start_charon right
    watch_flows
    send_odd some charon_again
    end_evasion
}

live_evasion-libreswan() {
    local crashes
    need_python
    use_libreswan
    pluto_tree=$tree
    net_evasion
    opt[addr.left]=%any
    opt[right.setup]='    ddos-mode=unlimited
    uniqueids=no'
    start_pluto right
    watch_flows
    # libreswan 5.2 does not know an SA without a child, and crashes.
    send_odd all pluto_again
    end_evasion
}
