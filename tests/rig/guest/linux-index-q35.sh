. /rig/linux-lib.sh

mtkflash l >list
cat list
grep -q "^1? .* P0" list || fail "drive 1 is not P0"
grep -q "^3? .* P2" list || fail "drive 3 is not P2"
contains list "are a guess"

tool_says first 6 mtkflash 1 c
contains first "guess"
contains first "QEMU DVD-ROM P0"
tool_says third 6 mtkflash 3 c
contains third "QEMU DVD-ROM P2"
for index in 2 4; do
	tool_says empty 3 mtkflash $index c
	if grep -q "c --via port" empty; then fail "it names a way that is not there"; fi
done
tool_says ports 3 mtkflash 1 c --via port --yes
contains ports "compatibility mode"
