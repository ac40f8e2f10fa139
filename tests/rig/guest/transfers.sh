node=$(plug echo 1)

# The most that usb-storage moves in one transfer, and an odd number of bytes.
for size in 122880 4097; do
	head -c $size /dev/urandom >sent
	length=$(printf '%06x' $size | sed 's/../& /g')
	sg_raw -s $size -i sent $node 3b 02 00 00 10 00 $length 00
	sg_raw -r $size -o received $node 3c 02 00 00 10 00 $length 00
	cmp sent received
done
contains drive-1.log "3b020000100001e00000 out 122880 status 00"
contains drive-1.log "3c020000100000100100 in 4097 status 00 answered 4097"

# Beyond the buffer: refused, nothing comes.
if sg_raw -r 16 -o beyond $node 3c 02 00 04 00 00 00 00 10 00 >refused 2>&1; then
	fail "a read beyond the buffer succeeded"
fi
contains refused "Illegal Request"
