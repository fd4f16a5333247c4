# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# Forged requests, in bounded numbers and only inside the namespaces.

# In all three parts together; FLOOD=2000 for a big capture (650 kB).
flood_size=${FLOOD:-150}

need_python() {
    command -v python3 >/dev/null || die "needs python3"
}

# flood PART: the first, second or third third of it. A failure is the
# script's: it wants no more than 2000.
flood() {
    local third=$((flood_size / 3))
    netns left python3 "$here/lib/flood.py" "$outer_right" \
        $((($1 - 1) * third)) "$third"
}
