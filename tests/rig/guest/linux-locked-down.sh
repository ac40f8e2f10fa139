. /rig/linux-lib.sh

# A device that was taken off and found again has another inode.
drives() {
	ls -di /sys/class/scsi_device/*/device/
}
cat /sys/kernel/security/lockdown
drives >before
tool_says locked 3 mtkflash 3 c --via port --yes
contains locked "locked down (integrity)"
contains locked "systemctl reboot --firmware-setup"
drives >after
cmp before after
[ -z "$(ls /run/mtkflash 2>/dev/null)" ] || fail "notes are left"

# What goes through the kernel goes on.
tool_says kernel 6 mtkflash 3 c
contains kernel "QEMU DVD-ROM SM"
