# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# Network namespaces. Peers see only each other: nothing is routed out.

outer_left=192.0.2.10
outer_right=192.0.2.20
inner_left=198.51.100.10
inner_right=198.51.100.20
outer6_left=2001:db8::10
outer6_right=2001:db8::20
inner6_left=2001:db8:a::10
inner6_right=2001:db8:b::20

netns() { ip netns exec "$ns_prefix-$1" "${@:2}"; }

# The same in the background. "exec" makes the number that is remembered the
# daemon's own instead of a shell's that waits for it.
netns_start() {
    (exec ip netns exec "$ns_prefix-$1" "${@:2}") &
    pids+=($!)
}

add_ns() {
    ip netns add "$ns_prefix-$1"
    netns "$1" ip link set lo up
}

# link NS1 NS2: one cable. Checksum offload would put unfinished UDP
# checksums into the capture, segmentation offload packets no wire carries.
link() {
    ip link add "to-$2" netns "$ns_prefix-$1" type veth \
        peer name "to-$1" netns "$ns_prefix-$2"
    plug "$1" "to-$2"
    plug "$2" "to-$1"
}

plug() {
    netns "$1" sysctl -qw "net.ipv6.conf.$2.accept_dad=0" || true
    netns "$1" ethtool -K "$2" tx off rx off gso off tso off gro off \
        >/dev/null 2>&1 || true
    netns "$1" ip link set "$2" up
}

# The usual layout: two peers on one cable, each with an address inside
# the tunnel, so that a ping between those has to go through ESP.
net_direct() {
    add_ns left
    add_ns right
    link left right
    add_outer to-right to-left
    add_inner
}

# add_outer INTERFACE INTERFACE: the left and the right end's.
add_outer() {
    netns left ip addr add "$outer_left/24" dev "$1"
    netns right ip addr add "$outer_right/24" dev "$2"
    netns left ip -6 addr add "$outer6_left/64" dev "$1" nodad
    netns right ip -6 addr add "$outer6_right/64" dev "$2" nodad
}

add_inner() {
    netns left ip addr add "$inner_left/32" dev lo
    netns right ip addr add "$inner_right/32" dev lo
    netns left ip -6 addr add "$inner6_left/128" dev lo
    netns right ip -6 addr add "$inner6_right/128" dev lo
}

# The left end in a private network behind a router that translates. It
# takes other ports, as routers with several clients do.
private_left=198.51.100.66

net_nat() {
    add_ns right
    add_private_left
    link nat right
    netns nat ip addr add 192.0.2.1/24 dev to-right
    netns right ip addr add "$outer_right/24" dev to-nat
    add_inner
    masquerade nat to-right "$@"
}

add_private_left() {
    add_ns left
    add_ns nat
    link left nat
    netns left ip addr add "$private_left/26" dev to-nat
    netns nat ip addr add 198.51.100.65/26 dev to-left
    netns left ip route add default via 198.51.100.65
}

# masquerade NS INTERFACE [PORTS]: without, ports stay if they are free.
masquerade() {
    netns "$1" sysctl -qw net.ipv4.ip_forward=1
    netns "$1" nft -f - <<NFT
table ip nat {
    chain out {
        type nat hook postrouting priority srcnat
        oifname "$2" udp dport 1-65535 masquerade ${3:+to :$3}
    }
}
NFT
}

# One cable again, but cut in the middle: whatever is lost or delayed on the
# way is so either before or after the "tap" between the two bridges, where
# the capture is made.
net_tapped() {
    add_ns left
    add_ns wire
    add_ns right
    link left wire
    link wire right
    add_outer to-wire to-wire
    add_inner
    netns wire ip link add tap type veth peer name tap-end
    plug wire tap
    plug wire tap-end
    bridge left tap
    bridge right tap-end
}

# bridge SIDE INTERFACE: a switch that has both its cables.
bridge() {
    local port
    netns wire ip link add "switch-$1" type bridge
    for port in "to-$1" "$2"; do
        netns wire ip link set "$port" master "switch-$1"
    done
    plug wire "switch-$1"
}

# impair NS INTERFACE WHAT...: what netem does to packets that leave there.
impair() { netns "$1" tc qdisc add dev "$2" root netem "${@:3}"; }

# impair_all WHAT...: on the four ways that a message can take: each end to
# the tap, and the tap to each end.
impair_all() {
    impair left to-wire "$@"
    impair right to-wire "$@"
    impair wire to-left "$@"
    impair wire to-right "$@"
}

# The left end behind a router that translates its address, the right one
# behind a router that translates it to the address it is known by outside.
gate=192.0.2.2
private_right=203.0.113.66

net_nat_both() {
    add_private_left
    add_private_right
    link nat gate
    netns nat ip addr add 192.0.2.1/24 dev to-gate
    netns gate ip addr add "$gate/24" dev to-nat
    add_inner
    masquerade nat to-gate
    publish to-nat
}

# Only the right end is translated.
net_nat_right() {
    add_ns left
    add_private_right
    link left gate
    netns left ip addr add "$outer_left/24" dev to-gate
    netns gate ip addr add "$gate/24" dev to-left
    add_inner
    publish to-left
}

add_private_right() {
    add_ns gate
    add_ns right
    link gate right
    netns gate ip addr add 203.0.113.65/26 dev to-right
    netns right ip addr add "$private_right/26" dev to-gate
    netns right ip route add default via 203.0.113.65
}

# publish INTERFACE: what comes in there for IKE's ports goes to the right end.
publish() {
    netns gate sysctl -qw net.ipv4.ip_forward=1
    netns gate nft -f - <<NFT
table ip nat {
    chain in {
        type nat hook prerouting priority dstnat
        iifname "$1" udp dport { 500, 4500 } dnat to $private_right
    }
}
NFT
}

net_down() {
    local ns
    for ns in left right nat gate wire; do
        ip netns del "$ns_prefix-$ns" 2>/dev/null || true
    done
}
