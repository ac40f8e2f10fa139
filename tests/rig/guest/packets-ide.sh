# Beside the others: every command that this drive refuses takes the kernel a while.
. /rig/packets.sh

forces=model,family,banner,drive-read,gaps,blank
node=$(node_at 2 0) || fail "no drive at the secondary channel"
sg_inq --hex $node >before

# refused NAME STATUS OPTION...: and says that nothing was changed.
refused() {
	local name=$1 status=$2 ended=0 started=$(uptime_ms)
	shift 2
	mtkflash $node "$@" >$name 2>&1 || ended=$?
	echo "== mtkflash $node $*"
	echo "== $ended in $(($(uptime_ms) - started)) ms"
	cat $name
	[ $ended = $status ] || fail "$name ended with $ended instead of $status"
	contains $name "Nothing was changed"
	sg_inq --hex $node >after
	cmp before after
}
while read protocol image forced; do
	set -- w /m /images/$image --yes --no-backup --protocol $protocol
	refused $protocol-forced $forced "$@" --force=$forces
	refused $protocol 4 "$@"
done <<END
btc btc-0059.bin 6
mt1339 sh-d162c-ts05.bin 6
sd616 sd-616t-f310.bin 6
mt1939 se-506cb-ts02.bin 6
mt1959 wh16ns60-102.bin 4
END
refused erase 6 e --yes --no-backup --protocol mt1939 --force=$forces
refused no-erase 4 e --yes --no-backup --protocol btc --force=$forces
contains no-erase "is not documented"
# Not by the ports: other scripts are at work on them.
set -- w /m /images/btc-0059.bin --yes --no-backup --via ata
refused by-ata 4 "$@"
contains by-ata "not known to be the same hardware"
refused by-ata-forced 6 "$@" --force=$forces

# For all that the tool forces, reading is up to the drive.
refused read 4 r /m /b dump --protocol mt1959 --force=$forces
contains read "The drive refuses to have any of this read"
refused no-read 4 r /m /b dump --protocol btc --force=$forces
contains no-read "is not documented"
[ ! -e dump ] || fail "there is a dump"
