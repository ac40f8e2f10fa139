. /rig/packets.sh

port=2
written mt1939 se-506cb-ts02.bin --backup mt1939.backup
written mt1939-boot se-506cb-ts02.bin --no-backup
written mt1959 wh16ns60-102.bin --backup mt1959.backup
cp /images/se-506cb-ts01.bin mt1939.before

# Other hardware's image.
node=$(plug $(quick mt1959) 3)
tool another-banner 4 mtkflash $node w /m /images/bu40n-103.bin --yes --backup none.bin
contains another-banner.err "no switch lets it through"
unplug 2

# What a drive does not show is named, and nothing is made up for it.
node=$(plug $(quick mt1939-gaps) 3)
tool gaps 0 mtkflash $node r /m /b gaps.dump
contains gaps.out "0x08000-0x0bfff: the drive refused to have it read"
contains gaps.out "0x1f0000-0x1f7fff: the drive refused to have it read"
contains gaps.dump.txt "gaps = [[32768, 49151], [2031616, 2064383]]"
tool gaps-write 4 mtkflash $node w /m /images/se-506cb-ts02.bin --yes --backup none.bin
contains gaps-write.err "the name of the check: gaps"
