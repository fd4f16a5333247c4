#!/bin/bash
# Builds and runs the fuzz targets in fuzz/. `fuzz.sh --help` says the rest.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

targets='datagram sequence probe inner keyword key_log key_table'
seconds=30
# The maximum size of an input in bytes. With longer inputs, fewer run in the same time.
longest=4096
minimise=''

usage() {
    cat <<END
usage: scripts/fuzz.sh [--seconds N] [--minimise] [TARGET...]

Runs the fuzz targets, or only TARGET... The targets are
$targets.
Each target runs for N seconds (default 30), two targets at a time. A target starts with
the committed corpora in fuzz/corpus and with the inputs that earlier runs found. The
script prints the number of inputs of each target, and their coverage as libFuzzer
counts it. If an input crashes a target, the script keeps it and prints its path.

  --minimise  do not fuzz. Replace the committed corpora by a small set of inputs with
              the same coverage, out of the corpora and the inputs of earlier runs

The inputs that runs find are below fuzz/ in the build folder (target, or
\$CARGO_TARGET_DIR). To run one input again, run the program that was printed with the
crash, with the path of the input as argument.
END
}

# The flags of cargo-fuzz, without the sanitizer, which needs a nightly compiler. All unsafe
# code is in the host's part, and fuzz targets do not run that part.
coverage_flags() {
    printf '%s ' --cfg fuzzing -C passes=sancov-module
    printf -- '-C llvm-args=-sanitizer-coverage-%s ' \
        level=4 inline-8bit-counters pc-table trace-compares
}

# Prints the folder of the programs. With --target, build scripts do not get the flags.
build() {
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    RUSTFLAGS="${RUSTFLAGS:-} $(coverage_flags)" cargo build --release --quiet \
        --manifest-path fuzz/Cargo.toml --target "$host" >&2 ||
        die 'the build failed: see above'
    printf '%s\n' "$CARGO_TARGET_DIR/$host/release"
}

dictionary() { case $1 in datagram | sequence | probe) echo message ;; *) echo "$1" ;; esac; }

# fuzz TARGET: libFuzzer writes new inputs to the first folder.
fuzz() {
    local target=$1 log="$work/$1.log" status=0
    mkdir -p "$work/corpus/$target"
    "$programs/$target" -max_total_time="$seconds" -print_final_stats=1 -timeout=10 \
        -max_len="$longest" -dict="fuzz/dictionaries/$(dictionary "$target").dict" -artifact_prefix="$work/$target-" \
        "$work/corpus/$target" "fuzz/corpus/$target" >"$log" 2>&1 || status=$?
    if [ "$status" != 0 ]; then
        grep -A 1 -E 'panicked|^SUMMARY|Test unit written' "$log" >&2 || tail -n 20 "$log" >&2
        say "$target FAILED; the program is $programs/$target, its output in $log"
        return 1
    fi
    say "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in" \
        "$seconds s, $(summary "$log")"
}

# The covered edges and features, and the number of inputs that cover them.
summary() {
    { grep -o 'cov: [0-9]* ft: [0-9]* corp: [0-9]*' "$1" || echo 'nothing covered'; } | tail -n 1
}

minimise() {
    local target=$1 folder="fuzz/corpus/$1"
    mkdir -p "$work/corpus/$target" "$folder"
    rm -rf "$work/small"
    mkdir "$work/small"
    "$programs/$target" -set_cover_merge=1 -use_counters=0 -max_len="$longest" \
        "$work/small" "$folder" "$work/corpus/$target" \
        >"$work/$target.log" 2>&1 || die "$target FAILED: see $work/$target.log"
    rm -r "$folder"
    mv "$work/small" "$folder"
    say "$folder: $(find "$folder" -type f | wc -l) inputs," \
        "$(find "$folder" -type f -print0 | du -bc --files0-from=- | sed -n '$s/\t.*//p') bytes"
}

# Runs two targets at a time. Runs all of them, and fails if one of them failed.
run_all() {
    local status=0 target
    for target in "$@"; do
        while [ "$(jobs -pr | wc -l)" -ge 2 ]; do wait -n || status=1; done
        fuzz "$target" &
    done
    while [ -n "$(jobs -pr)" ]; do wait -n || status=1; done
    return "$status"
}

main() {
    local programs work target chosen=()
    while [ $# -gt 0 ]; do
        case $1 in
            --seconds) seconds=${2:-}; shift ;;
            --minimise) minimise=yes ;;
            -h | --help) usage; exit ;;
            *) chosen+=("$1") ;;
        esac
        shift
    done
    case $seconds in '' | *[!0-9]*) die '--seconds needs a number' ;; esac
    # shellcheck disable=SC2206 # one word a target
    if [ "${#chosen[@]}" = 0 ]; then chosen=($targets); fi
    for target in "${chosen[@]}"; do
        case " $targets " in *" $target "*) ;; *) die "there is no target $target; the targets are $targets" ;; esac
    done
    use_cargo
    "$here/prerequisites.sh" >&2
    work="$CARGO_TARGET_DIR/fuzz"
    say 'building the fuzz targets ...'
    programs=$(build)
    if [ -n "$minimise" ]; then
        for target in "${chosen[@]}"; do minimise "$target"; done
    else
        run_all "${chosen[@]}"
    fi
}

main "$@"
