. /rig/linux-lib.sh

mtkflash l >list
cat list
grep -q "^2 .* PS" list || fail "drive 2 is not PS"
grep -q "^3 .* SM" list || fail "drive 3 is not SM"
grep -q "^- .* A0" list || fail "the AHCI drive has an index"

tool_says slave 6 mtkflash 2 c --via ata
contains slave "QEMU DVD-ROM PS"
tool_says master 6 mtkflash 3 c --via ata
contains master "QEMU DVD-ROM SM"
for index in 1 4; do
	tool_says empty 3 mtkflash $index c
	contains empty "mtkflash $index c --via port"
done
# The printed line, where no drive is beside the other one of the channel.
for index in 1 4; do
	tool_says nobody 6 mtkflash $index c --via port --yes
	contains nobody "The drive does not say who it is: IDENTIFY PACKET DEVICE was refused: status"
done
