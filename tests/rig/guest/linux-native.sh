. /rig/linux-lib.sh

ide=/sys/devices/pci0000:00/0000:00:01.1
card=/sys/devices/pci0000:00/0000:00:10.0
[ "$(head -n 1 $card/resource | cut -c15-18)" = c000 ] || fail "the card is elsewhere: $(cat $card/resource)"
[ "$(cat $card/irq)" = 11 ] || fail "the card has interrupt $(cat $card/irq)"

# The card no longer answers at its ports, so that the drives there do.
printf '\000\000' | put $card/config 4

# What a controller with its second channel in native mode shows.
lie() {
	cat >/run/sysfs-$1
	mount --bind ${2:-/run/sysfs-$1} $ide/$1
}
echo 0x010184 | lie class
echo 11 | lie irq
sed -e '3s/.*/0x000000000000c000 0x000000000000c007 0x0000000000040101/' \
	-e '4s/.*/0x000000000000c400 0x000000000000c403 0x0000000000040101/' $ide/resource >/run/resource
lie resource </run/resource
lie resource2 $card/resource0 </dev/null
lie resource3 $card/resource1 </dev/null

# interrupts: how many there were on the line that the drives share.
interrupts() {
	sed -n "s/^ *11: *\([0-9]*\) .*/\1/p" /proc/interrupts
}

# Devices of the kernel, by their own inodes, and the interrupt's count.
state() {
	ls -di /sys/class/scsi_device/*/device/
	interrupts
}

# all_is_as_before: the kernel's own drive was left alone, and the line is quiet.
all_is_as_before() {
	state >now
	cmp before now || fail "not as before: $(cat now)"
	[ -z "$(ls /run/mtkflash)" ] || fail "notes are left: $(ls /run/mtkflash)"
	if dmesg | grep -i "nobody cared"; then fail "the kernel switched the interrupt off"; fi
	sg_inq $(node_at 1 0) >/dev/null
}

state >before
cat before
tool_says list 0 mtkflash l
contains list "pci-0000:00:01.1-ata-2.0"
contains list "C000h, ata_piix"

echo "== asked first"
tool_says asked 4 mtkflash pci-0000:00:01.1-ata-2.0 c --via port
contains asked "uhci_hcd"
contains asked "no terminal"
all_is_as_before

for drive in 0-NM 1-NS; do
	tool_says refused 6 mtkflash pci-0000:00:01.1-ata-2.${drive%-*} c --via port --yes
	contains refused "firmware ${drive#*-}"
	contains refused "status 41"
	all_is_as_before
done

echo "== the first channel stays a legacy one"
tool_says legacy 6 mtkflash 1 c --via port --yes
contains legacy "firmware PM"
wait_until node_at 1 0 || fail "the first drive is not back"
state >before

echo "== interrupted"
mtkflash pci-0000:00:01.1-ata-2.0 c --via port --yes --wait 60 >interrupted 2>&1 &
tool=$!
wait_until grep -q "does not enter vendor mode yet" interrupted || fail "it does not wait: $(cat interrupted)"
ls -l /proc/$tool/fd >files
contains files 0000:00:01.1/resource2
contains files 0000:00:01.1/resource3
if grep /dev/port files; then fail "it has /dev/port open"; fi
kill -INT $tool
ended=0
wait $tool || ended=$?
cat interrupted
[ $ended = 130 ] || fail "it ended with $ended"
all_is_as_before

echo "== killed, and the next run"
mtkflash pci-0000:00:01.1-ata-2.0 c --via port --yes --wait 60 >killed 2>&1 &
tool=$!
wait_until grep -q "does not enter vendor mode yet" killed || fail "it does not wait: $(cat killed)"
kill -KILL $tool
wait $tool || true
ls /run/mtkflash
tool_says next 6 mtkflash pci-0000:00:01.1-ata-2.1 c --via port --yes
contains next "firmware NS"
all_is_as_before

echo "== a drive that the kernel lists, with its channel in native mode too"
echo 0x010185 >/run/sysfs-class
node=$(node_at 1 0)
nodes() {
	echo $(node_at 1 0) $(sr_of $(node_at 1 0))
}
nodes >nodes-before
tool_says proposed 4 mtkflash $node c
contains proposed "pci-0000:00:01.1-ata-1.0"
contains proposed "no terminal"
contains proposed "mtkflash $node c --via ata"
tool_says listed 6 mtkflash $(sr_of $node) c --via port --yes
contains listed "optical drive QEMU"
contains listed "firmware PM"
wait_until node_at 1 0 || fail "the drive is not back"
nodes >nodes
cmp nodes-before nodes || fail "the names are not as before: $(cat nodes)"
sg_inq $(node_at 1 0) >/dev/null
[ -z "$(ls /run/mtkflash)" ] || fail "notes are left: $(ls /run/mtkflash)"
