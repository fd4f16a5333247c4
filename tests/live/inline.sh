# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# Suricata as the only way between the peers: what it drops does not arrive.

# Two interfaces without a bridge; Suricata copies from one to the other.
net_inline() {
    add_ns left
    add_ns wire
    add_ns right
    link left wire
    link wire right
    add_outer to-wire to-wire
    add_inner
}

inline_interface() {
    cat <<YAML
  - interface: $1
    threads: 2
    cluster-id: $3
    cluster-type: cluster_flow
    copy-mode: ips
    copy-iface: $2
    use-mmap: yes
    tpacket-v3: no
    ring-size: 20000
YAML
}

# stand_between RULES: with what the stock suricata.yaml says of exceptions, which
# then drop the flow, and of flows.
stand_between() {
    {
        printf '%%YAML 1.1\n---\nexception-policy: auto\n'
        printf 'flow:\n  memcap: 128mb\naf-packet:\n'
        inline_interface to-left to-right 77
        inline_interface to-right to-left 78
    } >"$work/capture.yaml"
    start_suricata wire --af-packet -S "$1"
}

rules() {
    local file=$work/$name.rules
    printf '%s\n' "$@" >"$file"
    echo "$file"
}

# A second connection from an address of its own, which offers what is weak.
weak_left=192.0.2.11

weak_connection() {
    cat <<CONF
    weak {
        version = 2
        local_addrs = $weak_left
        remote_addrs = $outer_right
        mobike = no
        proposals = 3des-sha1-modp1024
        local {
            auth = psk
            id = left.example
        }
        remote {
            auth = psk
            id = right.example
        }
        childless = force
    }
CONF
}

begin_inline() {
    opt[left.conns]=$(weak_connection)
    opt[left.conn]='proposals = aes256gcm16-prfsha384-ecp384'
    opt[left.child]='esp_proposals = aes256gcm16-ecp384'
    opt[right.conn]='proposals = aes256gcm16-prfsha384-ecp384, 3des-sha1-modp1024
childless = allow'
    opt[right.child]='esp_proposals = aes256gcm16-ecp384'
    opt[right.remote_addrs]=%any
    use_strongswan
    net_inline
    netns left ip addr add "$weak_left/24" dev to-wire
    start_pair
}

initiate_weak() { swan left --initiate --ike weak --timeout 30 >&2; }

# What the responder has, not what the initiator hopes for.
has_sa_from() {
    swan right --list-sas --raw |
        grep -q "state=ESTABLISHED local-host=[^ ]* local-port=[0-9]* local-id=[^ ]* remote-host=$1 "
}

# expect WHAT COMMAND...: a line of the verdicts.
expect() {
    local what=$1
    shift
    if "$@"; then
        echo "right check $what" >>"$results/verdicts.txt"
    else
        echo "wrong check $what" | tee -a "$results/verdicts.txt" >&3
    fi
}

not() { ! "$@"; }

weak_rule='ikev2 any any -> any any (msg:"weak"; ikev2.weak_proposal; sid:1; rev:1;)'

# First the same rule as an alert: the weak SA comes up, so that it does not with
# the drop is the drop's doing.
live_inline-weak() {
    begin_inline
    stand_between "$(rules "alert $weak_rule")"
    expect 'without the drop the weak SA is up' initiate_weak
    expect 'the responder has it' has_sa_from "$weak_left"
    swan left --terminate --ike weak >&2
    stop_suricata
    stand_between "$(rules "drop $weak_rule")"
    expect 'the weak handshake fails' not initiate_weak
    expect 'the responder has no weak SA' not has_sa_from "$weak_left"
    expect 'the strong SA comes up' initiate
    expect 'and is used' ping_through
    expect 'the responder has it' has_sa_from "$outer_left"
    terminate
    stop_suricata
    expect 'only the weak one was dropped' only_dropped "$weak_left"
    checks_row
}

# only_dropped ADDRESS
only_dropped() {
    jq -e -n --arg address "$1" '[inputs | select(.event_type == "alert" and .alert.action == "blocked")
        | .src_ip] | length > 0 and all(. == $address)' "$results/eve.json" >&2
}

# counter NS: packets marked by forge.py that came in there.
count_marked() {
    netns "$1" nft -f - <<NFT
table ip marked {
    counter seen { }
    chain in {
        type filter hook prerouting priority raw
        ip dscp 1 counter name seen
    }
}
NFT
}

marked() { netns "$1" nft -j list counter ip marked seen | jq '.nftables[1].counter.packets'; }

# send_broken SOURCE: how many.
send_broken() {
    netns left python3 "$live/forge.py" malformed "$1" "$outer_right" | cut -d ' ' -f 1
}

ping_outside() {
    netns left chroot "$tree" ping -n -q -c 2 -W 5 "$outer_right" >&2
}

# Broken messages in the flows of an SA in use, and in new ones: they and all else
# go through.
live_inline-malformed() {
    local sent
    begin_inline
    count_marked right
    stand_between "$root/rules/*.rules"
    initiate
    sent=$(($(send_broken "$outer_left") + $(send_broken "$weak_left")))
    expect 'ESP of the same flow passes' ping_through
    expect 'messages of the same flow pass' swan left --rekey --ike net
    expect 'messages pass in flows that began with broken ones' initiate_weak
    expect 'other protocols pass' ping_outside
    expect "all $sent broken messages arrive" wait_for 30 arrived "$sent"
    terminate
    stop_suricata
    expect 'they were looked at' has_events malformed
    expect 'nothing was dropped' nothing_dropped
    checks_row
}

arrived() { [[ $(marked right) == "$1" ]]; }

has_events() { grep -q '"event_type":"anomaly".*"event":"[a-z_]*'"$1" "$results/eve.json"; }

nothing_dropped() { jq -es 'last.stats.ips | .blocked == 0 and .accepted > 0' "$results/stats.json" >&2; }

checks_row() {
    printf '%s\t%s\t%s\t%s\n' "$name" "$runmode" "$(count right check)" \
        "$(count wrong check)" >"$results/checks"
}
