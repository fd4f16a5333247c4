# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# tcpdump on the right end's cable, and what is kept of a run.

record_pid=

# record [INTERFACE [NS]]: no neighbour discovery and other noise of the cable.
record() {
    local file=$work/$name.pcap
    # Immediate: else the kernel holds packets back until after the end.
    # tcpdump gives up its rights before it opens the file, unless told not to.
    netns_start "${2:-right}" tcpdump -Z root -i "${1:-to-left}" -s 0 \
        --immediate-mode -U -w "$file" 'udp or esp' >"$work/tcpdump.log" 2>&1
    record_pid=${pids[-1]}
    wait_for 10 grep -q 'listening on' "$work/tcpdump.log" ||
        die "tcpdump did not start: $work/tcpdump.log"
}

stop_record() {
    sleep 0.5
    stop_pid "$record_pid"
    cp "$work/$name.pcap" "$here/pcap/$name.pcap"
}

# keep_keys [SIDE]: from charon's log, what decrypts the capture.
keep_keys() {
    local log
    log=$tree$(home "${1:-left}")/charon.log
    awk -f "$here/lib/keys.awk" "$log" >"$here/keys/$name.txt"
    decryption_table
}

# Wireshark's ikev2_decryption_table. The log has no SPIs of an IKE SA, so
# they are taken from the capture: SAs appear there in the same order.
decryption_table() {
    spi_pairs | awk -f "$here/lib/table.awk" -v first="$work/first" \
        -v extension="$work/extension" - "$here/keys/$name.txt" >"$work/table"
    keep_table first "$name.first"
    keep_table table "$name"
    keep_table extension "$name.extension"
}

keep_table() {
    # Nothing to say for a refused SA.
    local to=$here/keys/$2.ikev2_decryption_table
    rm -f "$to"
    [[ ! -s $work/$1 ]] || mv "$work/$1" "$to"
}

# tshark, told of the ports that it would not take for IKE's.
shark() {
    tshark -d udp.port==5500,udpencap -d udp.port==5000,isakmp "$@" 2>/dev/null
}

# Of the protected messages only: an SA_INIT may have been refused.
spi_pairs() {
    shark -r "$here/pcap/$name.pcap" -Y 'isakmp && isakmp.exchangetype != 34' \
        -T fields -e isakmp.ispi -e isakmp.rspi |
        awk '!seen[$0]++'
}
