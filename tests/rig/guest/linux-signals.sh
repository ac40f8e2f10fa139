. /rig/linux-lib.sh

sed 's/^contents/program_seconds = 0.2\n&/' /fixtures/benches/tsst.toml >tsst.toml
mtkflash --sim tsst.toml l
cp tsst.state/position-3.flash image.bin
node=$(plug tsst.toml 3)
write="mtkflash $node w /m /b image.bin --yes --no-backup"

tool plain 0 $write
cp drive-3.log plain.log

# At once, at INQUIRY and shortly before the first block.
for point in "INT 1" "TERM 4" "HUP 7"; do
	tool stopped 130 signalled $point 2 $write
	contains stopped.err "Nothing was changed"
	if grep ^ff stopped.commands; then fail "a block was sent"; fi
done

# From the first block on they come one after the other, and the job goes on.
(
	wait_until [ -e /run/signal-2 ]
	tool=$(cut -d' ' -f3 /run/signal-2)
	for signal in TERM HUP INT; do
		while [ -e /run/signal-2 ]; do usleep 1000; done
		echo "$signal 1 $tool" >/run/next
		mv /run/next /run/signal-2
	done
) &
before=$(grep -n ^ff plain.commands | head -1 | cut -d: -f1)
tool through 0 signalled INT $before 2 $write
contains through.err "goes on to its end"
rm -f /run/signal-2
grep ^ff through.commands | cut -d' ' -f1 >blocks
grep ^ff plain.commands | cut -d' ' -f1 | cmp - blocks
unplug 2

echo "== pulled in the middle of a write"
# Sense data are the bus's business, not the drive's.
operation=$(grep -v ^03 plain.log | grep -n ^ff | sed -n 3p | cut -d: -f1)
{ cat tsst.toml; echo "fault = [{ kind = 'unplug', operation = $operation }]"; } >pulled.toml
node=$(plug pulled.toml 3)
tool pulled 7 mtkflash $node w /m /b image.bin --yes --no-backup
contains pulled.err "vanished"
contains pulled.err "The drive has taken 2 of 4 banks"
contains pulled.err "Check the drive's power and cable"
