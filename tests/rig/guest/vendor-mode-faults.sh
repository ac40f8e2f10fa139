# fault NAME LINE: the bench with a fault, plugged in.
fault() {
	{ cat /fixtures/benches/sst39sf020.toml; echo "fault = [{ $2 }]"; } >$1.toml
	plug $1.toml 3
}

# Operations from the plugging in on: what the kernel asks is a dozen of them.
node=$(fault hangs 'kind = "time-out", operation = 100')
tool hangs 6 mtkflash $node r /m /b part.bin --range 0x0-0x1ff
contains hangs.err "did not answer"
contains hangs.err "Nothing was changed"
unplug 2

node=$(fault leaves 'kind = "unplug", operation = 100')
tool leaves 6 mtkflash $node r /m /b part.bin --range 0x0-0x1ff
contains leaves.err "Nothing was changed"
unplug 2

node=$(fault odd 'kind = "wrong-status", operation = 100, status = 0x51')
tool odd 6 mtkflash $node r /m /b part.bin --range 0x0-0x1ff
contains odd.err 51
contains odd.err "Nothing was changed"
