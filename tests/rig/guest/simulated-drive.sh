node=$(plug echo 3)
sg_inq $node | tee inquiry
contains inquiry "Product identification: ECHO DRIVE"
contains inquiry "Product revision level: POS3"

for start in 00 40 80 c0; do
	sg_raw -r 16384 -o block $node 3c 02 00 00 $start 00 00 40 00 00
	cat block >>buffer
done
[ $(commands 3 3c) = 4 ] || fail "the drive saw $(commands 3 3c) READ BUFFER commands"
contains drive-3.log "3c020000400000400000 in 16384 status 00 answered 16384"
