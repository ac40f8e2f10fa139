# What a drive must not be taken for, or must not be in use as.
node=$(node_at 2 0) || fail "no drive at the secondary channel"
sr=$(sr_of $node)
mount -o ro $sr /mnt
contains /proc/mounts "$sr /mnt"
sg_turs $node
umount /mnt

disk=$(node_at 1 0) || fail "no disk at the primary channel"
sg_inq $disk >inquiry
contains inquiry "Peripheral device type: disk"
[ -e /dev/sda ] || fail "no node for the disk"
