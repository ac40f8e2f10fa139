. /rig/linux-lib.sh

# What init does for the other scripts is the rule's business here.
give_nodes_to_cdrom() {
	:
}
chgrp root /dev/sg[0-9]* /dev/sr[0-9]*
chmod 600 /dev/sg[0-9]* /dev/sr[0-9]*
stranger=$(node_at 2 1)
tool_says stranger 3 as_user cdrom '' mtkflash $stranger c

# Modules where modprobe looks for them, and no rule but ours.
modules=/lib/modules/$(uname -r)
mkdir -p $modules /etc/udev/rules.d
cp /modules/*.ko $modules
ln -sf /bin/kmod /run/depmod
/run/depmod -a
cp /udev/*.rules /etc/udev/rules.d
ln -sf /bin/udevadm /run/systemd-udevd
/run/systemd-udevd >udevd 2>&1 &
udevd=$!
trap "kill $udevd" EXIT
wait_until test -e /run/udev/control
udevadm trigger
udevadm settle

# belongs NODE OWNER MODE
belongs() {
	[ "$(stat -c '%U:%G %a' $1)" = "$2 $3" ] || fail "$1 is $(stat -c '%U:%G %a' $1): $(cat udevd)"
}
for target in 0 1; do
	belongs $(node_at 2 $target) root:cdrom 660
	belongs $(sr_of $(node_at 2 $target)) root:cdrom 660
done
belongs $(node_at 1 0) root:root 600
udevadm info $(sr_of $stranger) >info
contains info ":uaccess:"
tool_says member 6 as_user cdrom '' mtkflash $stranger c --via ata

echo "== plugged in"
rmmod sg
node=$(plug /fixtures/benches/tsst.toml 3)
udevadm settle
belongs $node root:cdrom 660
belongs $(sr_of $node) root:cdrom 660
tool_says plugged 0 as_user cdrom '' mtkflash $node c
contains plugged "SH-D162C"
tool_says stranger 3 as_user '' '' mtkflash $node c
