node=$(plug echo 1)

# Vendor-mode entry with returned registers. Twice: from the second command on
# usb-storage fetches as many sense bytes as a descriptor has.
entry="85 06 20 00 00 00 00 00 2a 00 00 00 00 a0 80 00"
sg_raw $node $entry || true
sg_raw -vv $node $entry >registers 2>&1 || true
cat registers drive-1.log
contains registers "72 01 00 1d 00 00 00 0e  09 0c 00 00 00 00 00 2a"
contains registers "00 00 00 00 a0 80"
contains drive-1.log "85062000000000002a00000000a08000 none 0 status 02 answered 0"
grep -A 1 "^8506" drive-1.log | sed -n 2p >first
contains first "030000001200 in 18 status 00 answered 18"
