node=$(node_at 2 0) || fail "no drive at the secondary channel"
for command in c "r /m /b dump.bin" "e --yes"; do
	ended=0
	mtkflash $node $command --via ata >refused 2>&1 || ended=$?
	cat refused
	[ $ended = 6 ] || fail "'$command' ended with $ended"
	contains refused "This is $node"
	contains refused "QEMU DVD-ROM SM"
	contains refused 41
	contains refused "Nothing was changed"
done
sg_inq $node
