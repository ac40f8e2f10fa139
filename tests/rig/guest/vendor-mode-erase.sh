# A chip with sectors of 512 bytes: an erase reads whole sectors, twice.
sed s/SST39SF020/V29LC51002/ /fixtures/benches/sst39sf020.toml >small-sectors.toml
mtkflash --sim small-sectors.toml 3 c
flash=small-sectors.state/position-3.flash
cp $flash before.bin

# Two reads of the sector have gone by then, and the chip has shown before and
# after them that it is idle, each command with one for its sense data; the erase
# has begun.
node=$(plug small-sectors.toml 3)
tool erase 0 signalled INT 2186 2 mtkflash $node e --range 0x3000-0x31ff --yes --backup backup.bin
contains erase.err "The job goes on to its end"
cp $flash after.bin
