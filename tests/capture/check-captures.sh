#!/bin/bash
# What tshark finds in the captures, decrypted with their keys: the numbers
# in README.md come from here. Fails if a checksum is wrong or keys do not fit.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Empty, or ".first" for the keys before an additional key exchange.
which=

# shark NAME ARG...: with the keys of that capture, and the odd ports told.
shark() {
    local name=$1 options=() line table
    table=$here/keys/$name$which.ikev2_decryption_table
    if [[ -e $table ]]; then
        while IFS= read -r line; do
            options+=(-o "uat:ikev2_decryption_table:$line")
        done <"$table"
    fi
    tshark -r "$here/pcap/$name.pcap" "${options[@]}" \
        -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE \
        -d udp.port==5500,udpencap -d udp.port==5000,isakmp "${@:2}" \
        2>/dev/null
}

# count NAME FILTER: frames.
count() { shark "$1" -Y "$2" -T fields -e frame.number | wc -l; }

# Messages of each exchange, in the order of their numbers.
exchanges() {
    shark "$1" -Y 'isakmp.version == 0x20' -T fields \
        -e isakmp.exchangetype | sort -n | uniq -c |
        awk '{
            name[34] = "INIT"; name[35] = "AUTH"; name[36] = "CHILD"
            name[37] = "INFO"; name[43] = "INTERMEDIATE"
            name[44] = "FOLLOWUP_KE"
            printf "%s%d %s", (NR > 1 ? ", " : ""), $1, name[$2]
        }'
}

# The notifies that tshark sees, in the clear and decrypted.
notifies() {
    shark "$1" -V -Y 'isakmp.version == 0x20' |
        sed -n 's/^ *Notify Message Type: //p' | sort | uniq -c |
        awk '{ printf "      %s x %s %s\n", $1, $2, $3 }'
}

wrong() {
    count "$1" 'udp.checksum.status == 0 || ip.checksum.status == 0'
}

# Encrypted payloads whose integrity checksum does (not) fit the keys.
integrity() {
    shark "$1" -V | grep -c "Integrity Checksum Data: .*\[$2\]" || true
}

# The messages before an additional key exchange have keys of their own.
good() {
    local sum
    sum=$(integrity "$1" correct)
    if [[ -e $here/keys/$1.first.ikev2_decryption_table ]]; then
        sum=$((sum + $(which=.first integrity "$1" correct)))
    fi
    echo "$sum"
}

all_encrypted() {
    shark "$1" -V | grep -c 'Integrity Checksum Data: .*\[' || true
}

row() {
    local name=$1 bytes
    bytes=$(stat -c %s "$here/pcap/$name.pcap")
    # shellcheck disable=SC2016
    printf '| `%s` | %s | %s (%s) | %s | %s | %s |\n' "$name" "$bytes" \
        "$(count "$name" 'isakmp.version == 0x20')" "$(exchanges "$name")" \
        "$(count "$name" 'esp')" "$(count "$name" 'udpencap.nat_keepalive')" \
        "$(good "$name")"
}

check() {
    local name=$1
    row "$name"
    [[ ${verbose-} ]] && notifies "$name"
    [[ $(wrong "$name") == 0 ]] || complain "$name: wrong IP or UDP checksum"
    [[ $(good "$name") == "$(all_encrypted "$name")" ]] ||
        complain "$name: keys do not fit"
}

failed=0

complain() {
    echo "error: $*" >&2
    failed=1
}

[[ ${1-} != -v ]] || { verbose=1 && shift; }
(($#)) || set -- "$here"/pcap/*.pcap
echo '| capture | bytes | IKEv2 messages | ESP | keepalives | verified by keys |'
echo '|---|---|---|---|---|---|'
for file in "$@"; do
    check "$(basename "$file" .pcap)"
done
exit "$failed"
