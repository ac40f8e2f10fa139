. /rig/packets.sh

for bench in btc tsst sd616 mt1939-boot mt1939 mt1959; do
	node=$(plug $(quick $bench) 3)
	sg_inq $node >$bench.inquiry
	tool $bench 0 mtkflash $node c
	name="$(field $bench.inquiry 'Vendor identification')"
	name="$name $(field $bench.inquiry 'Product identification')"
	contains $bench.out "$name $(field $bench.inquiry 'Product revision level')"
	contains $bench.out "serial $(field $bench.inquiry 'Unit serial number')"

	# No disc: what mtkflash takes for a drive that works.
	status=0
	sg_turs -v $node >$bench.ready 2>&1 || status=$?
	[ $status = 2 ] || fail "sg_turs ended with $status: $(cat $bench.ready)"
	contains $bench.ready "Medium not present"
	[ $bench = mt1959 ] || unplug 2
done

# The last one is read by everybody.
by_sg_raw() {
	local block
	rm -f sg_raw.dump
	for block in $(seq 0 127); do
		sg_raw -r 16384 -o block $node 3c 06 00 $(printf '%02x %02x' $((block / 4)) $((block % 4 * 64))) 00 00 40 00 00 00 00
		cat block >>sg_raw.dump
	done
}
timed sg_raw by_sg_raw
for turn in 1 2 3 4 5; do
	timed ours mtkflash $node r /m /b ours.dump --force=overwrite
	timed once rig --dump $node once.dump 1
	timed twice rig --dump $node twice.dump 2
done

# The sg_read_buffer of sg3-utils 1.46 asks for no bytes, whatever its --length
# says. That is an answer without data; the boot record comes by sg_raw.
sg_read_buffer --mode=6 --offset=0x3000 --length=32 $node
contains drive-3.log "3c060000300000000000 none 0 status 00 answered 0"
sg_raw -r 32 -o record $node 3c 06 00 00 30 00 00 00 20 00 00 00
tool read 0 mtkflash $node r /m /b ours-again.dump
