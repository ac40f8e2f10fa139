# A first look makes the drive's memory; a sector of it that is mostly blank
# takes less time to program.
cp /fixtures/benches/sst39sf020.toml .
mtkflash --sim sst39sf020.toml 3 c
flash=sst39sf020.state/position-3.flash
blank 3968 | put $flash 0x2080
cp $flash before.bin

# Bits to set and bits to clear in one sector, and a difference elsewhere.
cp before.bin image.bin
printf '\125\252' | put image.bin 0x2010
printf 'more' | put image.bin 0x2f00
printf '\125\252' | put image.bin 0x8000

node=$(plug sst39sf020.toml 3)
tool write 0 mtkflash $node w /m image.bin --range 0x2000-0x2fff --yes --backup backup.bin
cp $flash written.bin
unplug 2
cp sst39sf020.state/position-3.counters.toml .
