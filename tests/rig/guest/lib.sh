# What scripts share. $OUT is the script's folder; all that it leaves there
# comes back. A script runs with `sh -eu -o pipefail` and ends at the first command that fails.

# wait_until COMMAND...: until it succeeds, 10 s at most.
wait_until() {
	local tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || return 1
		usleep 20000
	done
}

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# ends_with STATUS COMMAND...
ends_with() {
	local wanted=$1 ended=0
	shift
	"$@" || ended=$?
	[ $ended = $wanted ] || fail "'$*' ended with $ended instead of $wanted"
}

# contains FILE TEXT: the text as it is, on some line.
contains() {
	grep -qF -- "$2" "$1" || fail "no '$2' in $1: $(cat $1)"
}

devices_are_there() {
	[ $(ls -d /sys/class/scsi_device/* 2>/dev/null | wc -l) -ge $(cat /rig/devices) ]
}

# Without udev, nodes belong to root alone; this is what its rules make of them.
give_nodes_to_cdrom() {
	local node
	for node in /dev/sg[0-9]* /dev/sr[0-9]*; do
		[ ! -e $node ] || { chgrp cdrom $node && chmod 660 $node; }
	done
}

# node_at PORT TARGET [DRIVER]: the sg node of the drive at a port of an ATA
# controller, by the port's own number (1 is the primary channel), target and
# driver of the controller (ata_piix when not given).
node_at() {
	local device path ata
	for device in /sys/class/scsi_generic/*/device; do
		path=$(readlink -f $device)
		case $path in
		*/ata[0-9]*/host*/target*) ;;
		*) continue ;;
		esac
		ata=$(echo $path | sed 's|.*/\(ata[0-9]*\)/.*|\1|')
		[ "$(cat /sys/class/ata_port/$ata/port_no)" = $1 ] || continue
		[ "$(echo $path | sed 's|.*:\([0-9]*\):[0-9]*$|\1|')" = $2 ] || continue
		[ "$(cat ${path%/target*}/scsi_host/host*/proc_name)" = ${3:-ata_piix} ] || continue
		echo /dev/$(basename ${device%/device})
		return
	done
	return 1
}

# sr_of NODE: the sr node of the drive that has this sg node.
sr_of() {
	echo /dev/$(ls /sys/class/scsi_generic/${1##*/}/device/block)
}

# plug BENCH POSITION [PORT]: puts a simulated drive on the USB bus and prints
# its sg node. BENCH is a file, copied to $OUT so that its flash comes back, or
# "echo". The command blocks that the drive sees are in $OUT/drive-POSITION.log.
# PORT is 0 to 7, POSITION - 1 when not given. What a script has plugged in, init
# unplugs when it ends.
plug() {
	local bench=$OUT/$(basename $1)
	local port=${3:-$(($2 - 1))}
	[ $1 = echo ] || [ -e $bench ] || cp $1 $bench
	rig --serve $bench $2 $port $OUT/drive-$2.log >>$OUT/servers.log 2>&1 &
	echo $! >$SERVERS/$port
	wait_until usb_node $port >/dev/null ||
		fail "the drive at position $2 did not appear: $(cat $OUT/servers.log)"
	usb_node $port
}

# unplug PORT: as if the cable was pulled; the drive's files are complete then.
unplug() {
	echo $1 >/sys/devices/platform/vhci_hcd.0/detach 2>/dev/null || true
	wait_until has_ended $(cat $SERVERS/$1) || kill $(cat $SERVERS/$1)
	rm $SERVERS/$1
	wait_until port_is_empty $1
}

unplug_all() {
	local server
	for server in $SERVERS/*; do
		[ ! -e $server ] || unplug ${server##*/}
	done
}

has_ended() {
	[ ! -e /proc/$1/exe ]
}

# usb_node PORT: the sg node of the drive at a port of the virtual controller.
usb_node() {
	local node
	for node in /sys/devices/platform/vhci_hcd.0/usb*/*-$(($1 + 1))/*/host*/target*/*/scsi_generic/sg*; do
		[ -e $node ] || return 1
		give_nodes_to_cdrom
		echo /dev/${node##*/}
	done
}

port_is_empty() {
	[ ! -e /sys/devices/platform/vhci_hcd.0/usb*/*-$(($1 + 1)) ]
}

# commands POSITION [OPCODE]: how many command blocks the drive has seen.
commands() {
	grep -c "^${2:-}" $OUT/drive-$1.log || true
}

# tool NAME STATUS COMMAND...: runs a command that has to end with the status.
# What it says is in NAME.out and NAME.err then, and the command blocks that the
# drive at position 3 saw meanwhile in NAME.commands.
tool() {
	local name=$1 wanted=$2 ended=0 before started
	shift 2
	before=$(commands 3)
	started=$(uptime_ms)
	"$@" >$name.out 2>$name.err || ended=$?
	tail -n +$((before + 1)) drive-3.log >$name.commands
	echo "== $*"
	echo "== $ended, $(wc -l <$name.commands) commands in $(($(uptime_ms) - started)) ms"
	cat $name.out $name.err
	[ $ended = $wanted ] || fail "'$*' ended with $ended instead of $wanted"
}

uptime_ms() {
	sed 's/^\([0-9]*\)\.\([0-9]*\) .*/\1\20/' /proc/uptime
}

# blank COUNT: so many bytes of FF.
blank() {
	head -c $1 /dev/zero | tr '\0' '\377'
}

# put FILE OFFSET: overwrites a file from there on with what comes in.
put() {
	dd of=$1 bs=1 seek=$(($2)) conv=notrunc 2>/dev/null
}

# signalled SIGNAL COUNT PORT COMMAND...: runs the command and sends it the
# signal when the drive at the port has got COUNT further command blocks and has
# not carried out the last one. A command with & after it would ignore SIGINT.
signalled() {
	sh -c 'echo $0 $1 $$ >/run/order && mv /run/order /run/signal-$2 && shift 2 && exec "$@"' "$@"
}

# setpriv by its path: busybox has a lesser one, and its shell prefers that.

# as_user GROUPS CAPABILITIES COMMAND...: as an ordinary user, in "cdrom" or in
# no group (""), with capabilities like "sys_rawio" or none ("").
as_user() {
	local groups capabilities
	case $1 in
	'') groups=--clear-groups ;;
	*) groups=--groups=$(sed -n "s/^$1:x:\([0-9]*\):.*/\1/p" /etc/group) ;;
	esac
	case $2 in
	'') capabilities= ;;
	*) capabilities="--inh-caps=+$2 --ambient-caps=+$2" ;;
	esac
	shift 2
	/bin/setpriv --reuid=1000 --regid=1000 $groups $capabilities "$@"
}

# without CAPABILITY COMMAND...: as root, but without one capability.
without() {
	local capability=$1
	shift
	/bin/setpriv --bounding-set=-$capability --inh-caps=-$capability "$@"
}
