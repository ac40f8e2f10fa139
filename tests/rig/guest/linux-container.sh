. /rig/linux-lib.sh

# A root of its own, with a sysfs that nobody may write to, few nodes and few
# rights, as Docker and Podman make it. What is mounted in it ends with it.
box=$OUT/box
for folder in bin lib lib64 etc dev proc sys tmp run; do
	mkdir -p $box/$folder
done
cat >start.sh <<'END'
for folder in bin lib lib64 etc; do
	mount --bind /$folder $box/$folder
done
mount -t proc proc $box/proc
mount -t sysfs -o ro sysfs $box/sys
mount -t tmpfs dev $box/dev
for node in null zero urandom $given; do
	cp -a /dev/$node $box/dev/
done
exec chroot $box /bin/setpriv --bounding-set=-sys_admin,-sys_rawio "$@"
END

# in_container NODES COMMAND...: with these nodes beside the usual.
in_container() {
	local given=$1
	shift
	given=$given box=$box unshare -m sh -eu start.sh "$@"
}

node=$(node_at 2 0)
sr=$(sr_of $node)
both="docker run --device=$sr --device=$node ..."
for mark in .dockerenv run/.containerenv; do
	echo "== $mark"
	touch $box/$mark
	for drive in $sr $node; do
		tool_says path 3 in_container '' mtkflash $drive c
		contains path "$drive is not to be had in this container"
		contains path "$both"
	done
	tool_says index 3 in_container '' mtkflash 3 c
	contains index "$node is not to be had in this container"
	contains index "$both"
	tool_says list 0 in_container '' mtkflash l
	contains list "$both"
	for given in '' port; do
		tool_says port 3 in_container "$given" mtkflash 3 c --via port --yes
		contains port "The I/O ports are not to be had in this container"
		contains port "docker run --privileged ..."
	done
	rm $box/$mark
done
touch $box/.dockerenv

# Root in a container may not send everything to the one of the two.
tool_says filtered 3 in_container ${sr#/dev/} mtkflash $sr c --via ata
contains filtered "$both"

# With what the command gives, it works, but for the ports.
tool_says ports 3 in_container "${sr#/dev/} ${node#/dev/}" mtkflash 3 c
contains ports "The I/O ports are not to be had in this container"
contains ports "mtkflash 3 c --via ata"
for drive in 3 $sr $node; do
	tool_says given 6 in_container "${sr#/dev/} ${node#/dev/}" mtkflash $drive c --via ata
	contains given "QEMU DVD-ROM SM"
	if grep "earlier" given; then fail "it takes itself for a crashed run"; fi
done
[ -z "$(ls $box/run/mtkflash)" ] || fail "notes are left: $(ls $box/run/mtkflash)"
