. /rig/linux-lib.sh

# A disc in a drive, mounted and not; a disk beside a drive.
node=$(node_at 2 0)
sr=$(sr_of $node)
mtkflash l >list
cat list
grep -q "^3 .* SM" list || fail "drive 3 is not SM"
contains list "eject it first"

tool_says medium 4 mtkflash 3 c
contains medium "eject it first"
contains medium "the name of the check: medium"
tool_says forced 6 mtkflash 3 c --force=medium --via ata
contains forced 41

tool_says port 4 mtkflash 3 c --via port --yes
contains port "eject it first"

mount -o ro $sr /mnt
for drive in 3 $node $sr; do
	tool_says mounted 3 mtkflash $drive c --force=medium
	contains mounted "mounted at /mnt"
	contains mounted "umount /mnt"
done
mtkflash l >list
contains list "mounted at /mnt"
tool_says beside 3 mtkflash 4 c --via port --yes
contains beside "mounted at /mnt"
umount /mnt

disk=$(node_at 1 0)
for drive in 1 $disk /dev/sda; do
	tool_says disk 3 mtkflash $drive c
	contains disk "not an optical drive"
done
tool_says port 3 mtkflash 2 c --via port --yes
contains port "must not lose its channel"
[ -e /dev/sda ] || fail "the disk is gone"
tool_says nothing 2 mtkflash /dev/null c
tool_says missing 3 mtkflash /dev/sr9 c

echo "== without a driver the kernel does not know what is on a channel"
echo 0000:00:01.1 >/sys/bus/pci/drivers/ata_piix/unbind
tool_says unknown 3 mtkflash 1 c --via port --yes
contains unknown "No driver of the kernel"
contains unknown "Nothing was changed"
echo 0000:00:01.1 >/sys/bus/pci/drivers/ata_piix/bind
drives_have_nodes() {
	devices_are_there && sr_of $(node_at 2 0) && sr_of $(node_at 2 1)
}
wait_until drives_have_nodes || fail "the drives are not back"
give_nodes_to_cdrom
