# Beside the others: the tool waits for drives that come back. Port 7 is this script's.
. /rig/packets.sh

# The 17th block is programmed for four seconds; meanwhile the cable is pulled.
node=$(plug $(quick mt1939 "program_seconds = 4") 3 7)
set -- w /m /images/se-506cb-ts02.bin --yes --no-backup
tool pulled 7 mtkflash $node "$@" &
pulled=$!
wait_until has_got 16 ff || fail "the drive was not sent 16 blocks"
unplug 7
wait $pulled || fail "mtkflash did not end as it should"
contains pulled.err "The drive has taken 15 of 32 banks"
contains pulled.err "is not known"

# Only the boot loader is left, and the same again ends well.
node=$(plug $(quick mt1939) 3 7)
tool again 0 mtkflash $node "$@"
contains again.out "TSSTcorp BDDVDW SE-506CB BOOT"
contains again.out "TSSTcorp BDDVDW SE-506CB TS02"
cp /images/se-506cb-ts02.bin .
unplug 7

# Before it was told to program, nothing has happened to a BTC drive.
node=$(plug $(quick btc 'fault = [{ kind = "unplug", operation = 100 }]') 3 7)
tool early 6 mtkflash $node w /m /images/btc-0059.bin --yes --no-backup
contains early.err "Nothing was changed"
unplug 7

node=$(plug $(quick tsst 'fault = [{ kind = "other-identity", product = "DVD-ROM SH-D163B" }]') 3 7)
tool other 7 mtkflash $node w /m /images/sh-d162c-ts05.bin --yes --no-backup
contains other.err "SH-D163B"
