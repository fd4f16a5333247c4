# The names of other parts are not seen when this one is checked alone.
# shellcheck shell=bash disable=SC2034,SC2154
# A second kernel (User Mode Linux, a Debian package) for the scenarios that
# want ESP done by the kernel, or packets lost and delayed by it, on a machine
# whose own was built without. The whole script runs once more inside, on the
# same files.

# What is run there with a scenario's name, how much memory there is and for how
# many seconds.
uml_command=$here/make-captures.sh
uml_memory=512M
uml_time=300

# wants_other_kernel SCENARIO: whether ours lacks something it needs.
wants_other_kernel() {
    if [[ " $wants_kernel_esp " == *" $1 "* ]] && ! kernel_has_esp; then
        return 0
    fi
    [[ " $wants_netem " == *" $1 "* ]] && ! kernel_has_netem
}

kernel_has_netem() {
    local rc=0
    add_ns left
    netns left tc qdisc add dev lo root netem delay 1ms 2>/dev/null || rc=1
    net_down
    return "$rc"
}

# Shown by trying, since the module may be built in, loadable or missing.
kernel_has_esp() {
    local rc=0
    add_ns left
    netns left ip xfrm state add src "$outer_left" dst "$outer_right" \
        proto esp spi 0x1000 reqid 1 mode tunnel \
        aead 'rfc4106(gcm(aes))' "0x$(printf '0%.0s' {1..40})" 128 \
        2>/dev/null || rc=1
    net_down
    return "$rc"
}

run_in_uml() {
    # Inside is no network to install anything from.
    use_strongswan
    use_libreswan
    make_tree uml trixie user-mode-linux kmod
    say "this kernel cannot do that: using a User Mode Linux one"
    prepare_uml
    # Bound into the tree, because the kernel wants the tree's C library.
    # shellcheck disable=SC2016
    timeout "$uml_time" unshare -m sh -c 'mount --rbind / "$0/mnt" &&
        mount -t proc proc "$0/proc" && mount -t tmpfs shm "$0/dev/shm" &&
        exec chroot "$0" env TMPDIR=/dev/shm linux.uml "$@"' "$tree" \
        mem="$uml_memory" root=/dev/root rootfstype=hostfs rootflags=/mnt rw \
        init="$tree/init" capture="$1" con=null con0=null,fd:1 con1=null \
        ssl=null </dev/null >"$work/uml.log" 2>&1 || true
    [[ $(cat "$tree/status") == 0 ]] ||
        die "$1 failed inside: $(tail -n 20 "$work/uml.log")"
}

prepare_uml() {
    mkdir -p "$tree/mnt"
    ln -sfn uml/modules "$tree/usr/lib/modules"
    echo 'did not run' >"$tree/status"
    printf '#!/bin/sh\nexec chroot %q modprobe "$@"\n' "$tree" \
        >"$tree/modprobe"
    uml_init >"$tree/init"
    chmod +x "$tree/modprobe" "$tree/init"
}

# The first process inside. The scenario's name comes as a boot parameter.
uml_init() {
    cat <<INIT
#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=$HOME
export XDG_CACHE_HOME=${cache%/suricata-ikev2/peers}
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir /run/tmp
export TMPDIR=/run/tmp
ln -s /proc/self/fd /dev/fd
echo $tree/modprobe >/proc/sys/kernel/modprobe
for module in ipv6 esp4 esp6 tun veth af_packet xfrm_user bridge sch_netem; do
    $tree/modprobe \$module
done
ip link set lo up
$uml_command "\$capture"
echo \$? >$tree/status
sync
echo o >/proc/sysrq-trigger
sleep 10
INIT
}
