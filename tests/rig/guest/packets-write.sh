. /rig/packets.sh

# written BENCH IMAGE OPTION...: what the drive has is in its files then.
written() {
	local name=$1 image=$2 node
	shift 2
	cp /images/$image $name.image
	node=$(plug $(quick $name) 3)
	tool $name 0 mtkflash $node w /m /images/$image --yes "$@"
	mtkflash $(usb_node 2) c >$name.afterwards 2>&1
	cat $name.afterwards
	unplug 2
}
written btc btc-0059.bin --no-backup
written tsst sh-d162c-ts05.bin --no-backup
written sd616 sd-616t-f310.bin --no-backup
written mt1939 se-506cb-ts02.bin --backup mt1939.backup
written mt1939-boot se-506cb-ts02.bin --no-backup
written mt1959 wh16ns60-102.bin --backup mt1959.backup
cp /images/se-506cb-ts01.bin mt1939.before

# Other hardware's image, and a family that nobody can read back.
node=$(plug $(quick mt1959) 3)
tool another-banner 4 mtkflash $node w /m /images/bu40n-103.bin --yes --backup none.bin
contains another-banner.err "--force=banner"
unplug 2
node=$(plug $(quick btc) 3)
tool no-way-back 4 mtkflash $node w /m /images/btc-0051.bin --yes
contains no-way-back.err "--no-backup"
