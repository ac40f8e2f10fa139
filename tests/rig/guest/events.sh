node=$(plug echo 1)

echo "== restarts"
sg_raw $node cf 00 00 00 00 00 00 00 00 00
wait_until port_is_empty 0 || fail "the drive did not leave the bus"
wait_until usb_node 0 || fail "the drive did not come back"
node=$(usb_node 0)
sg_inq $node

echo "== never answers"
if sg_raw -t 1 $node cd 00 00 00 00 00 00 00 00 00 >hang 2>&1; then
	fail "a command without an answer succeeded"
fi
cat hang
contains hang "Host_status=0x03"
sg_inq $node

echo "== leaves"
if sg_raw $node ce 00 00 00 00 00 00 00 00 00 >vanish 2>&1; then
	fail "a command on a drive that left succeeded"
fi
cat vanish
wait_until port_is_empty 0 || fail "the drive did not leave the bus"
[ ! -e $node ] || fail "$node is still there"
