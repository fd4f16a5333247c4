#!/bin/bash
# Runs Suricata with the plugin over a capture and shows what it understood.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

root=$(dirname -- "$here")
own_capture="$root/tests/capture/pcap/aes-cbc-sha1-modp1024.pcap"

usage() {
    cat <<'END'
usage: scripts/demo.sh [CAPTURE]

Shows the IKEv2 messages in CAPTURE, and the alerts of the project's rules.
CAPTURE is a pcap or pcapng file. Without it, the script uses a capture of the
project. The script installs what is missing, builds the plugin, and runs
Suricata with the plugin.

  ROWS=n     show at most n messages and n alerts (default 200); eve.json has all
  COLUMNS=n  use this width, from 60 to 120, instead of the terminal's width
END
}

# --- the capture ------------------------------------------------------------

# Suricata continues if it cannot read a capture, so the script checks it first.
check_capture() {
    local file=$1
    [ -e "$file" ] || die "there is no file '$file'"
    [ ! -d "$file" ] || die "'$file' is a folder, not a capture file"
    [ -r "$file" ] || die "'$file' cannot be read: permission denied"
    case $(first_bytes "$file") in
        '') die "'$file' is empty" ;;
        # pcap in both byte orders, of micro- and nanoseconds; pcapng
        d4c3b2a1 | a1b2c3d4 | 4d3cb2a1 | a1b23c4d | 0a0d0d0a) ;;
        1f8b* | 28b52ffd | fd377a58 | 425a68*) die "'$file' is compressed: decompress it first" ;;
        *) die "'$file' is neither pcap nor pcapng" ;;
    esac
}

first_bytes() { od -A n -t x1 -N 4 -- "$1" | tr -d ' \n'; }

# --- Suricata ---------------------------------------------------------------

# run_suricata PLUGIN CAPTURE
run_suricata() {
    local plugin=$1 capture=$2 suricata etc
    suricata=$("$here/suricata.sh")
    etc=$("$here/suricata.sh" --etc)
    rm -rf "$output"
    mkdir -p "$output"
    say "reading $capture with $("$suricata" -V | sed 's/^This is //')"
    # -k none: a capture on the sending machine may not have the checksums yet.
    "$suricata" -c "$root/suricata-config/demo.yaml" -l "$output" -r "$capture" -k none \
        --runmode single \
        --set "plugins.0=$plugin" \
        --set "default-rule-path=$root/rules" \
        --set "classification-file=$etc/classification.config" \
        --set "reference-config-file=$etc/reference.config" \
        >"$output/suricata.log" 2>&1 </dev/null || die "Suricata failed: $(complaints)"
    check_run "$plugin"
}

complaints() {
    { grep -E '^(E|Error): ' "$output/suricata.log" || true; } | head -n 5
    printf 'The whole log is in %s\n' "$(shown "$output/suricata.log")"
}

# Suricata also ends with success if it could not read a plugin, a rule or half of a
# capture.
check_run() {
    grep -q 'suricata-ikev2 [0-9]' "$output/suricata.log" ||
        die "Suricata did not load $(shown "$1"). $(complaints)"
    if grep -qE '^(E|Error): ' "$output/suricata.log"; then say "Suricata reported errors: $(complaints)"; fi
}

# --- the report -------------------------------------------------------------

# The width of the terminal. 120 columns are enough to read. A pipe has no width.
width() {
    local columns=${COLUMNS:-}
    if [ -z "$columns" ] && [ -n "$terminal" ]; then
        columns=$(stty size 2>/dev/null </dev/tty | cut -d ' ' -f 2)
    fi
    case $columns in '' | 0 | *[!0-9]*) columns=100 ;; esac
    echo $((columns < 60 ? 60 : columns > 120 ? 120 : columns))
}

# Headings are bold only on a terminal.
heading() {
    if [ -n "$terminal" ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
        printf '\033[%sm' "$1"
    fi
}

# show SECTION TITLE: formats the records on stdin.
show() {
    jq -nr -f "$here/report.jq" --arg section "$1" --arg title "$2" \
        --argjson width "$columns" --arg head "$bold" --arg plain "$plain"
}

# show_records TYPE SECTION ONE MANY: shows the records of an event_type, if any.
# grep first selects the records, because it is faster than jq and captures may be large.
show_records() {
    local records="$output/.records" count title
    grep -F "\"event_type\":\"$1\"" "$output/eve.json" |
        grep -vF '"ikev2":{"type":"sa"' >"$records" || true
    count=$(wc -l <"$records")
    title="$count $([ "$count" = 1 ] && echo "$3" || echo "$4")"
    if [ "$count" -gt "$rows" ]; then title="The first $rows of $title"; fi
    if [ "$count" -gt 0 ]; then
        printf '\n'
        head -n "$rows" "$records" | show "$2" "$title"
    fi
    rm "$records"
    [ "$count" -gt 0 ]
}

# Shows a path below the current folder as a relative path.
shown() { printf '%s\n' "${1#"$PWD"/}"; }

report() {
    local terminal='' columns bold plain
    if [ -t 1 ]; then terminal=yes; fi
    columns=$(width)
    bold=$(heading 1)
    plain=$(heading 0)
    show_records ikev2 messages 'IKEv2 message' 'IKEv2 messages' || nothing_found "$1"
    show_records alert alerts 'alert' 'alerts' || printf '\nNo alert.\n'
    printf '\nAll records: %s\n' "$(shown "$output/eve.json")"
}

nothing_found() {
    printf '\nNo IKEv2 message in %s.\n' "$1"
    show nothing_found '' <"$output/stats.json"
}

main() {
    local capture=${1:-$own_capture} rows=${ROWS:-200} plugin output
    case "$#${1:-}" in
        0 | 1) ;;
        1-h | 1--help) usage; exit ;;
        1-*) usage >&2; die "unknown argument: $1" ;;
        1*) ;;
        *) usage >&2; exit 2 ;;
    esac
    case $rows in *[!0-9]*) die "ROWS=$rows is not a number" ;; esac
    check_capture "$capture"
    plugin=$("$here/build.sh")
    output="${plugin%/release/*}/demo"
    run_suricata "$plugin" "$(shown "$capture")"
    report "$(shown "$capture")"
}

main "$@"
