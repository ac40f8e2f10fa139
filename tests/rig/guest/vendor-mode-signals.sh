node=$(plug /fixtures/benches/sst39sf020.toml 3)
memory=sst39sf020.state/position-3.drive.toml

for signal in INT TERM HUP QUIT; do
	tool $signal 130 signalled $signal 300 2 mtkflash $node r /m /b part.bin --range 0x0-0x3ff
	contains $signal.err "Nothing was changed"
	contains $memory "vendor_mode = false"
	[ ! -e part.bin ] || fail "a part of a dump is there"
done

# Nobody leaves the mode after this; the next run finds the drive in it.
tool KILL 137 signalled KILL 300 2 mtkflash $node r /m /b part.bin --range 0x0-0x3ff
contains $memory "vendor_mode = true"
tool again 0 mtkflash $node r /m /b part.bin --range 0x0-0xff
contains $memory "vendor_mode = false"
