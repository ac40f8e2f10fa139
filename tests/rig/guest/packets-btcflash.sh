# Beside the others: btcflash sleeps for 50 s.
. /rig/packets.sh

# fresh NAME POSITION: the sr node, which btcflash insists on, of a drive on a
# port that no other script uses.
fresh() {
	local node
	sed "s/^position = .*/position = $2/" /fixtures/benches/btc.toml >$1.toml
	node=$(plug $1.toml $2 $(($2 + 3)))
	wait_until test -e /sys/class/scsi_generic/${node##*/}/device/block
	sr_of $node
}
hex_drive=$(fresh hex 1)
bin_drive=$(fresh bin 2)
ours_drive=$(fresh ours 3)

cp /images/btc-0059.bin .
echo YES >yes
timed hex btcflash $hex_drive /images/btc-0059.hex <yes &
hex=$!
timed bin btcflash $bin_drive /images/btc-0059.bin <yes &
bin=$!
timed ours mtkflash $ours_drive w /m /images/btc-0059.hex --yes --no-backup
mtkflash i /images/btc-0059.hex >inspected
wait $hex || fail "btcflash did not take the HEX file"
wait $bin || fail "btcflash did not take the BIN file"
cat hex.out bin.out ours.out
