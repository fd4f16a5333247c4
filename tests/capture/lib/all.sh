# shellcheck shell=bash disable=SC2154
# All parts, and the scenarios; $here is the folder above this one.

# shellcheck source=common.sh
source "$here/lib/common.sh"
# shellcheck source=peers.sh
source "$here/lib/peers.sh"
# shellcheck source=net.sh
source "$here/lib/net.sh"
# shellcheck source=charon.sh
source "$here/lib/charon.sh"
# shellcheck source=pluto.sh
source "$here/lib/pluto.sh"
# shellcheck source=pki.sh
source "$here/lib/pki.sh"
# shellcheck source=record.sh
source "$here/lib/record.sh"
# shellcheck source=flood.sh
source "$here/lib/flood.sh"
# shellcheck source=uml.sh
source "$here/lib/uml.sh"
# shellcheck source=../scenarios.sh
source "$here/scenarios.sh"
# shellcheck source=../scenarios-tracking.sh
source "$here/scenarios-tracking.sh"
