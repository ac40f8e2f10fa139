. /rig/linux-lib.sh

# names: every drive of the two channels and its nodes.
names() {
	local port target node
	for port in 1 2; do
		for target in 0 1; do
			node=$(node_at $port $target) && sr_of $node >/dev/null 2>&1 || { echo "$port.$target -"; continue; }
			echo "$port.$target $node $(sr_of $node)"
		done
	done
}

secondary_is_gone() {
	[ -z "$(names | grep '^2.*/dev')" ]
}

names_are_back() {
	names >now
	cmp -s before now
}

# interrupts IRQ: how many there were.
interrupts() {
	sed -n "s/^ *$1: *\([0-9]*\) .*/\1/p" /proc/interrupts
}

# The channel and its interrupt work.
channel_works() {
	local count=$(interrupts 15)
	cmp before now || fail "the names are not as before: $(cat now)"
	sg_inq $(node_at 2 0) >/dev/null
	sg_inq $(node_at 2 1) >/dev/null
	[ $(interrupts 15) -gt $count ] || fail "no interrupt came: $(cat /proc/interrupts)"
	if dmesg | grep -i "nobody cared"; then fail "the kernel switched the interrupt off"; fi
}

names >before
cat before
tool_says denied 4 mtkflash 3 c --via port
contains denied "QEMU DVD-ROM"
contains denied "no terminal"
# Who names no way is asked the same, before the drive is told anything.
tool_says proposed 4 mtkflash 3 c
contains proposed "secondary master: optical drive QEMU"
contains proposed "no terminal"
contains proposed "mtkflash 3 c --via ata"
tool_says by-path 4 mtkflash $(sr_of $(node_at 2 0)) c
contains by-path "secondary master: optical drive QEMU"
names >now
channel_works

echo "== named by its path"
tool_says by-path 6 mtkflash $(sr_of $(node_at 2 1)) c --via port --yes
contains by-path "firmware SS"
contains by-path "mtkflash 4 c"
names >now
channel_works

for drive in 3-SM 4-SS; do
	tool_says refused 6 mtkflash ${drive%-*} c --via port --yes
	contains refused "Asked by the ports of its channel, the drive says that it is QEMU DVD-ROM, firmware ${drive#*-}"
	contains refused 41
	names >now
	channel_works
done

echo "== in use"
sleep 100 <>$(node_at 2 1) &
user=$!
tool_says busy 3 mtkflash 3 c --via port --yes
contains busy "sleep (process $user)"
kill $user
wait $user || true
names >now
channel_works

echo "== interrupted"
mtkflash 3 c --via port --yes --wait 60 >interrupted 2>&1 &
tool=$!
wait_until secondary_is_gone || fail "the drives stay: $(cat interrupted)"
# By the regions of the controller, and not by /dev/port.
ls -l /proc/$tool/fd >files
contains files 0000:00:01.1/resource2
contains files 0000:00:01.1/resource3
if grep /dev/port files; then fail "it has /dev/port open"; fi
tool_says second 3 mtkflash 4 c --via port --yes
contains second "Another mtkflash"
kill -INT $tool
ended=0
wait $tool || ended=$?
cat interrupted
[ $ended = 130 ] || fail "it ended with $ended"
names >now
channel_works

# killed NAME: ends a run on the ports by SIGKILL. It had the drives off the
# kernel; the interrupts of the channel (nIEN) are off as in the middle of a command.
killed() {
	mtkflash 3 c --via port --yes --wait 60 >$1 2>&1 &
	local tool=$!
	wait_until grep -q "does not enter vendor mode yet" $1 || fail "it does not wait: $(cat $1)"
	kill -KILL $tool
	wait $tool || true
	printf '\002' | put /dev/port 0x376
	secondary_is_gone || fail "the drives are back by themselves"
}

sudo() {
	"$@"
}

# typed FILE: the command in it that has the kernel look for drives.
typed() {
	local command=$(sed -n "s/.*\(echo '- - -' .*\)/\1/p" $1)
	echo "\$ $command"
	eval "$command"
	wait_until names_are_back || fail "the names are not as before: $(cat now)"
}

echo "== killed, and the next run"
killed settled
cat /run/mtkflash/*
tool_says next 6 mtkflash 3 c
contains next "goes on with the channel as it was left"
contains next "QEMU DVD-ROM, firmware SM"
mtkflash l >list
grep -q "^3 .* SM" list || fail "drive 3 is not listed"
grep -q "^4 .* SS" list || fail "drive 4 is not listed"
names >now
channel_works
[ -z "$(ls /run/mtkflash)" ] || fail "notes are left: $(ls /run/mtkflash)"

echo "== killed, and the next run through the kernel"
killed unsettled
tool_says kernel 6 mtkflash 3 c --via ata
contains kernel "is restored"
contains kernel "QEMU DVD-ROM SM"
names >now
channel_works

echo "== killed, and the command that was printed before"
killed printed
cat printed
typed printed
channel_works
