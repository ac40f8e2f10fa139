node=$(plug echo 1)
echo 'trap "echo caught >caught; exit 42" TERM INT
while :; do sg_raw -r 16 $1 3c 02 00 00 00 00 00 00 10 00; done' >reader

for signal in TERM INT; do
	for count in 1 4; do
		rm -f caught
		before=$(commands 1 3c)
		ends_with 42 signalled $signal $count 0 sh reader $node
		contains caught caught
		[ $(commands 1 3c) = $((before + count)) ] ||
			fail "$(commands 1 3c) commands, of which $before before"
	done
done
