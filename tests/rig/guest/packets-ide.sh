. /rig/packets.sh

forces=model,family,banner,calibration,gaps,blank
node=$(node_at 2 0) || fail "no drive at the secondary channel"
sg_inq --hex $node >before

# refused NAME STATUS OPTION...: and says that nothing was changed.
refused() {
	local name=$1 status=$2 ended=0
	shift 2
	mtkflash $node "$@" >$name 2>&1 || ended=$?
	echo "== mtkflash $node $*: $ended"
	cat $name
	[ $ended = $status ] || fail "$name ended with $ended instead of $status"
	contains $name "Nothing was changed"
	sg_inq --hex $node >after
	cmp before after
}
while read protocol image; do
	set -- w /m /images/$image --yes --no-backup
	refused $protocol-forced 6 "$@" --protocol $protocol --force=$forces
	refused $protocol 4 "$@" --protocol $protocol
	refused $protocol-erase $([ $protocol = mt1939 ] && echo 6 || echo 4) \
		e --yes --no-backup --protocol $protocol --force=$forces
	refused $protocol-detected 6 "$@"
	contains $protocol-detected "goes on in vendor mode"
done <<END
btc btc-0059.bin
mt1339 sh-d162c-ts05.bin
sd616 sd-616t-f310.bin
mt1939 se-506cb-ts02.bin
mt1959 wh16ns60-102.bin
END
refused read-mt1939 6 r /m /b dump --protocol mt1939
refused read-mt1959 6 r /m /b dump --protocol mt1959
[ ! -e dump ] || fail "there is a dump"
