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

# On such a channel the ports are proposed, and what is to be typed instead.
tool_says proposed 3 mtkflash 3 c
contains proposed "locked down (integrity)"
contains proposed "mtkflash 3 c --via ata"
drives >after
cmp before after

# What goes through the kernel goes on.
tool_says kernel 6 mtkflash 3 c --via ata
contains kernel "QEMU DVD-ROM SM"
