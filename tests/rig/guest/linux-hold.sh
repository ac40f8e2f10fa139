. /rig/linux-lib.sh

node=$(plug /fixtures/benches/sst39sf020.toml 3)
sr=$(sr_of $node)
polling=/sys/block/${sr##*/}/events_poll_msecs
memory=sst39sf020.state/position-3.drive.toml
cat $polling
echo 100 >$polling
polled() {
	[ $(commands 3 4a) -gt 3 ]
}
wait_until polled || fail "the kernel does not poll"

echo "== two at once"
started=$(commands 3)
mtkflash $node r /m /b first.bin --range 0x0-0xfff >first 2>&1 &
first=$!
reads() {
	[ $(tail -n +$started drive-3.log | grep -c ^85) -gt 100 ]
}
wait_until reads || fail "the first does not read: $(cat first)"
[ $(cat $polling) = 0 ] || fail "the kernel polls"
tool_says second 3 mtkflash $sr c
contains second "mtkflash (process $first)"
tool_says list 0 mtkflash l
contains list "mtkflash (process $first)"
wait $first
[ $(cat $polling) = 100 ] || fail "polling is not as it was"
# Nobody else had a word with the drive between the first and the last ATA command.
tail -n +$((started + 1)) drive-3.log | sed -n '/^85/,$p' | tac | sed -n '/^85/,$p' | grep -v -e ^85 -e ^03 >others || true
[ ! -s others ] || fail "others spoke to the drive: $(cat others)"

echo "== interrupted, killed"
tool INT 130 signalled INT 300 2 mtkflash $node r /m /b part.bin --range 0x0-0x3ff
[ $(cat $polling) = 100 ] || fail "polling is not as it was"
tool KILL 137 signalled KILL 300 2 mtkflash $node r /m /b part.bin --range 0x0-0x3ff
[ $(cat $polling) = 0 ] || fail "somebody restored polling"
tool_says next 0 mtkflash $node c
contains next "is restored"
[ $(cat $polling) = 100 ] || fail "polling is not as it was"
unplug 2

echo "== failed"
node=$(plug /fixtures/benches/refused.toml 3)
sr=$(sr_of $node)
polling=/sys/block/${sr##*/}/events_poll_msecs
echo 100 >$polling
tool_says refused 6 mtkflash $node c
[ $(cat $polling) = 100 ] || fail "polling is not as it was"
