# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# What Suricata reported against what the peers say.

# judge [NAT]: of the running scenario. NAT is what every SA must be reported with.
judge() {
    local truth=$results/peers.txt
    peers_say >"$truth"
    agree_with_pluto "$truth"
    jq -nr --rawfile peers "$truth" --arg nat "${1-}" -f "$live/judge.jq" \
        "$results/eve.json" >"$results/verdicts.txt"
    grep -v '^right' "$results/verdicts.txt" >&3 || true
    row >"$results/row"
}

# A line for each IKE SA: its initiator's SPI and how it began. What one end calls
# established and the other refused is refused. A question mark is behind what only
# one end knows: the other heard nothing of it, so maybe Suricata did not either.
peers_say() {
    local side
    for side in left right; do
        if [[ -e $tree$(home "$side")/live.log ]]; then
            cp "$tree$(home "$side")/live.log" "$results/$side.log"
            awk -f "$live/charon.awk" "$results/$side.log"
        fi
    done | awk '
        !($1 in how) { how[$1] = $2; next }
        how[$1] == $2 { next }
        how[$1] == "unanswered" { how[$1] = $2 "?"; next }
        $2 == "unanswered" { how[$1] = how[$1] "?"; next }
        { how[$1] = "refused" }
        END { for (spi in how) print spi, how[spi] }'
}

# libreswan does not say which SPIs it means: its count must be the same.
agree_with_pluto() {
    local theirs ours side
    for side in left right; do
        [[ -n $pluto_tree && -e $pluto_tree$(home "$side")/pluto.log ]] || continue
        cp "$pluto_tree$(home "$side")/pluto.log" "$results/$side-pluto.log"
        theirs=$(grep -cE ': (initiator|responder) (established|rekeyed) IKE SA' \
            "$results/$side-pluto.log" || true)
        ours=$(grep -cE ' (established|rekeyed)\??$' "$1" || true)
        [[ $theirs == "$ours" ]] ||
            die "$name: strongSwan has $ours SAs, libreswan $theirs: $results"
    done
}

count() { grep -c "^$1 $2" "$results/verdicts.txt" || true; }

# Scenario, run mode, handshakes, right, wrong, missed, SAs by rekeying seen and
# not, packets lost before Suricata saw them.
row() {
    local right wrong missed
    right=$(count right handshake)
    wrong=$(count wrong '')
    missed=$(count missed handshake)
    printf '%s\t' "$name" "$runmode" "$((right + missed + $(count wrong handshake)))" "$right" \
        "$wrong" "$missed" "$(count right rekeyed)" "$(count missed rekeyed)"
    kernel_drops
}

table() {
    local format='%-22s %-8s %11s %6s %6s %7s %8s %13s %13s\n'
    # shellcheck disable=SC2059
    printf "$format" scenario runmode handshakes right wrong missed rekeyed 'rekeyed lost' \
        'packets lost'
    awk -F '\t' -v format="$format" '
        { printf format, $1, $2, $3, $4, $5, $6, $7, $8, $9 }
        { for (i = 3; i <= 9; i++) sum[i] += $i }
        END { printf format, "all", "", sum[3], sum[4], sum[5], sum[6], sum[7], sum[8], sum[9]
              exit sum[5] + sum[6] + sum[8] > 0 || sum[4] == 0 }'
}

checks_table() {
    awk -F '\t' '
        BEGIN { printf "%-22s %-8s %6s %6s\n", "checks", "runmode", "right", "wrong" }
        { printf "%-22s %-8s %6s %6s\n", $1, $2, $3, $4; wrong += $4 }
        END { exit wrong > 0 }'
}

# tables CHOSEN: of all that ran; fails when something is not right.
tables() {
    local one rows=() checks=() figures=() status=0
    for one in $1; do
        one=$out/${one/\//-}
        [[ ! -e $one/row ]] || rows+=("$one/row")
        [[ ! -e $one/checks ]] || checks+=("$one/checks")
        [[ ! -e $one/figures ]] || figures+=("$one/figures")
    done
    ((${#rows[@]} == 0)) || cat "${rows[@]}" | table || status=1
    ((${#checks[@]} == 0)) || cat "${checks[@]}" | checks_table || status=1
    ((${#figures[@]} == 0)) || cat "${figures[@]}"
    return "$status"
}
