. /rig/packets.sh

# hang BENCH OPERATION: a drive that never answers this one since it was plugged in.
hang() {
	plug $(quick $1 "fault = [{ kind = \"time-out\", operation = $2 }]") 3
}

# Somewhere in its memory, of which the kernel asks nothing.
node=$(hang mt1939 60)
tool read 6 mtkflash $node r /m /b part.bin
contains read.err "did not answer within 30 s"
contains read.err "the kernel has given the command up and reset the drive"
contains read.err "Nothing was changed"
[ ! -e part.bin ] || fail "there is a dump"
unplug 2

image=/images/sh-d162c-ts05.bin
write="w /m $image --yes --no-backup"
node=$(plug $(quick tsst) 3)
tool plain 0 mtkflash $node $write
# Sense data are the bus's business, not the drive's.
grep -v ^03 drive-3.log >operations
unplug 2
rm -r tsst.state

# The third block, for which the drive has minutes.
node=$(hang tsst $(grep -n ^ff operations | sed -n 3p | cut -d: -f1))
started=$(uptime_ms)
dmesg -c >/dev/null
tool block 7 mtkflash $node $write
contains block.err "did not answer within 300 s"
contains block.err "the kernel has given the command up and reset the drive"
contains block.err "The drive has taken 1 of 4 banks"
# Without the consent that was typed.
contains block.err "mtkflash $node w /m $image --no-backup"
[ $(($(uptime_ms) - started)) -gt 300000 ] || fail "nobody waited for the drive"
[ $(grep -c ^ff block.commands) = 3 ] || fail "a block was sent twice"
dmesg >resets
contains resets "reset high-speed USB device"

tool again 0 mtkflash $node $write
unplug 2
cmp tsst.state/position-3.flash $image
