cp /fixtures/benches/sst39sf020.toml .
mtkflash --sim sst39sf020.toml 3 c
flash=sst39sf020.state/position-3.flash
cp $flash before.bin

# Two reads of the sector have gone by then, and the erase has begun.
node=$(plug sst39sf020.toml 3)
tool erase 0 signalled INT 16450 2 mtkflash $node e --range 0x3000-0x3fff --yes --backup backup.bin
contains erase.err "The job goes on to its end"
cp $flash after.bin
