node=$(plug /fixtures/benches/refused.toml 3)
for command in c "r /m /b dump.bin" "e --yes"; do
	tool refused 6 mtkflash $node $command
	contains refused.err 51
	contains refused.err "Nothing was changed"
done
unplug 2

node=$(plug /fixtures/benches/unknown-chip.toml 3)
tool unknown 0 mtkflash $node c
contains unknown.out "ManuID: DA"
contains unknown.out "DevID: 99"
tool unread 4 mtkflash $node r /m /b dump.bin
contains unread.err "DA"
tool erase 4 mtkflash $node e --yes
tool part 0 mtkflash $node r /m /b part.bin --size 256K --range 0x100-0x1ff
