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
    netns left ip addr add "$outer_left/24" dev to-right
    netns right ip addr add "$outer_right/24" dev to-left
    netns left ip -6 addr add "$outer6_left/64" dev to-right nodad
    netns right ip -6 addr add "$outer6_right/64" dev to-left nodad
    add_inner
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
    add_ns left
    add_ns nat
    add_ns right
    link left nat
    link nat right
    netns left ip addr add "$private_left/26" dev to-nat
    netns nat ip addr add 198.51.100.65/26 dev to-left
    netns nat ip addr add 192.0.2.1/24 dev to-right
    netns right ip addr add "$outer_right/24" dev to-nat
    netns left ip route add default via 198.51.100.65
    add_inner
    translate "$@"
}

# translate [PORTS]: without, ports stay what they were if they are free.
translate() {
    netns nat sysctl -qw net.ipv4.ip_forward=1
    netns nat nft -f - <<NFT
table ip nat {
    chain out {
        type nat hook postrouting priority srcnat
        oifname "to-right" udp dport 1-65535 masquerade ${1:+to :$1}
    }
}
NFT
}

net_down() {
    local ns
    for ns in left right nat; do
        ip netns del "$ns_prefix-$ns" 2>/dev/null || true
    done
}
