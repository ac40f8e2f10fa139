node=$(plug /fixtures/benches/sst39sf020.toml 3)

tool check 0 mtkflash $node c
contains check.out "LITE-ON DVD-ROM SIM-256P SIM1"
contains check.out SST39SF020
tool read 0 mtkflash $node r /m /b part.bin --via ata --range 0x4000-0x41ff
head -c 262144 sst39sf020.state/position-3.flash >image.bin
tool equal 0 mtkflash $node v /m /b image.bin --range 0x4000-0x41ff

printf '\125' | put image.bin 0x4123
tool different 8 mtkflash $node v /m /b image.bin --range 0x4100-0x41ff

# Commands of every length arrive as they were sent.
sg_raw $node be 00 00 00 00 00 00 00 00 00 00 00 >refused 2>&1 && fail "READ CD succeeded"
contains drive-3.log "be0000000000000000000000 none 0 status 02"
