for position in 1 2 3 4; do
	node=$(plug echo $position)
	sg_inq $node >inquiry
	contains inquiry "Product revision level: POS$position"
done
before=$(commands 2 3c)
sg_raw -r 16 $(usb_node 1) 3c 02 00 00 00 00 00 00 10 00
[ $(commands 2 3c) = $((before + 1)) ] || fail "the second drive did not see its command"
for position in 1 3 4; do
	[ $(commands $position 3c) = 0 ] || fail "drive $position saw a command of the second"
done
