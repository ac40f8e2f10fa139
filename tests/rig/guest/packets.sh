# What scripts of packet drives share; /images has what goes with the benches.

# quick NAME [LINE]: a bench of the fixtures whose drives program for a second
# unless the line says otherwise, which is one about the last of them.
quick() {
	local speed="restart_seconds = 0.5"
	case ${2:-} in
	program_seconds*) ;;
	*) speed="program_seconds = 1\\n$speed" ;;
	esac
	sed "s/^model = .*/&\\n$speed/" /fixtures/benches/$1.toml >$1.toml
	[ $# = 1 ] || echo "$2" >>$1.toml
	echo $1.toml
}

# timed NAME COMMAND...: what it says is in NAME.out, and how many milliseconds
# it took is a line of NAME.ms.
timed() {
	local name=$1 started=$(uptime_ms)
	shift
	"$@" >$name.out 2>&1 || fail "'$*' ended with $?: $(cat $name.out)"
	echo $(($(uptime_ms) - started)) >>$name.ms
}

# has_got COUNT OPCODE: the drive at position 3 has carried out so many.
has_got() {
	[ $(commands 3 $2) -ge $1 ]
}

# field FILE NAME: of what sg_inq says.
field() {
	sed -n "s/^ *$2: *\(.*[^ ]\) *$/\1/p" $1
}

# written BENCH IMAGE OPTION...: what the drive has is in its files then. It is on
# port $port.
written() {
	local name=$1 image=$2 node
	shift 2
	cp /images/$image $name.image
	node=$(plug $(quick $name) 3 $port)
	tool $name 0 mtkflash $node w /m /images/$image --yes "$@"
	mtkflash $(usb_node $port) c >$name.afterwards 2>&1
	cat $name.afterwards
	unplug $port
}
