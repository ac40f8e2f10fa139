. /rig/linux-lib.sh

# at_terminal NAME COMMAND...: runs the command at a terminal of its own. What is
# on its screen is in NAME.screen; `types` are its keys.
at_terminal() {
	name=$1
	shift
	echo "== $*"
	mkfifo $name.keys
	: >$name.screen
	script -qefc "exec $*" $name.screen <$name.keys >/dev/null &
	terminal=$!
	exec 3>$name.keys
}

types() {
	printf "$1" >&3
}

# The byte of which the terminal makes SIGINT.
ctrl_c='\003'

shows() {
	wait_until grep -qF -- "$1" $name.screen || fail "no '$1' on the screen: $(cat $name.screen)"
}

# ended STATUS: the command ends, and with this.
ended() {
	local status=0
	wait $terminal || status=$?
	exec 3>&-
	tr -d '\r' <$name.screen | grep -v ░
	[ $status = $1 ] || fail "it ended with $status instead of $1"
}

# A chip with sectors of 512 bytes, of which one has little in it.
sed s/SST39SF020/V29LC51002/ /fixtures/benches/sst39sf020.toml >parallel.toml
mtkflash --sim parallel.toml 3 c
flash=parallel.state/position-3.flash
blank 480 | put $flash 0x3020
cp $flash before.bin
cp $flash image.bin
printf '\125\252' | put image.bin 0x3010
node=$(plug parallel.toml 3)
write="mtkflash $node w /m image.bin --range 0x3000-0x31ff --backup backup.bin"

at_terminal small $write
shows "Type YES to go on:"
types 'yes\n'
shows "Type YES in capitals, or Ctrl-C to stop:"
types 'no\n'
ended 130
for text in "SIM-256P SIM1, serial SIM00000001" "V29LC51002" "image.bin" \
	"backup.bin (CRC-32" "erase 1 sector (512 bytes)" "Write image.bin into $node" "The answer was not YES, in capitals" \
	"Nothing was changed" "Kept      backup.bin"; do
	contains small.screen "$text"
done
cmp $flash before.bin

# The same again, as it says.
at_terminal capitals $write
shows "Type YES to go on:"
types 'YES\n'
ended 0
cmp $flash image.bin
head -c $((0x3200)) before.bin | tail -c 512 | cmp - backup.bin
unplug 2

image=/images/sh-d162c-ts05.bin
sed 's/^contents/program_seconds = 2\n&/' /fixtures/benches/tsst.toml >tsst.toml
node=$(plug tsst.toml 3)
write="mtkflash $node w /m $image --no-backup"
at_terminal early $write
shows "Type YES to go on:"
types $ctrl_c
ended 130
contains early.screen "Nothing was changed"
if grep ^ff drive-3.log; then fail "a block was sent"; fi

# The blocks are gone in no time; then the drive programs.
at_terminal late $write
shows "Type YES to go on:"
types 'YES\n'
shows "The drive programs and starts anew"
types $ctrl_c
shows "goes on to its end"
ended 0
[ $(commands 3 ff) = 5 ] || fail "the image was not sent once"
unplug 2
cmp tsst.state/position-3.flash $image

# A drive that was taken off and found again has another inode.
drive() {
	ls -di $(readlink -f /sys/class/scsi_generic/${sg##*/}/device)
}
sg=$(node_at 2 0)
drive >before
while read -r name answer status; do
	at_terminal port-$name mtkflash 3 c --via port
	shows "secondary master: optical drive QEMU QEMU DVD-ROM"
	shows "Type YES to go on:"
	types $answer
	ended $status
	drive >after
	cmp before after
done <<END
no no\n 130
ctrl-c $ctrl_c 130
END
at_terminal port mtkflash 3 c --via port
shows "Type YES to go on:"
types 'YES\n'
shows "Asking again for"
types $ctrl_c
ended 130
contains port.screen "status 41, should be 70, 72 or 73"
drive >after
if cmp -s before after; then fail "the drive was not taken off"; fi
sg_inq $sg >/dev/null
