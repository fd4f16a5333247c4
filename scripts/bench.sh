#!/bin/bash
# Measures what the plugin costs in Suricata. It counts instructions only if
# valgrind is installed.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

main() {
    use_cargo
    use_plugin
    has valgrind || say 'valgrind is missing: instructions are not counted'
    cargo bench --bench suricata
}

main "$@"
