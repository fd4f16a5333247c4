#!/bin/bash
# Measures what the plugin costs in Suricata. Instructions are counted where
# valgrind is installed.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

main() {
    cd "$here/.."
    # Where rustup puts cargo; a shell from before its installation lacks it.
    PATH="$PATH:${CARGO_HOME:-${HOME:-}/.cargo}/bin"
    SURICATA_IKEV2_PLUGIN=$("$here/build.sh")
    SURICATA=$("$here/suricata.sh")
    export SURICATA SURICATA_IKEV2_PLUGIN
    has valgrind || say 'without valgrind no instructions are counted'
    cargo bench --bench suricata
}

main "$@"
