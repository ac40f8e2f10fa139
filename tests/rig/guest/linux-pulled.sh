# A chip with sectors of 512 bytes: about 1050 commands read one twice, the
# erase follows, and then it is read again.
{
	sed s/SST39SF020/V29LC51002/ /fixtures/benches/sst39sf020.toml
	echo "fault = [{ kind = 'unplug', operation = 1200 }]"
} >pulled.toml
node=$(plug pulled.toml 3)
tool pulled 7 mtkflash $node e --range 0x3000-0x31ff --yes --backup backup.bin
contains pulled.err "vanished"
contains pulled.err "Its old content is in backup.bin"
contains pulled.err "Check the drive's power and cable"
unplug 2

# In vendor mode a drive says nothing to a kernel that looks for one: it was
# switched off meanwhile. The same line ends what was begun.
sed -i 's/^vendor_mode = true/vendor_mode = false/' pulled.state/position-3.drive.toml
sed -i /^fault/d pulled.toml
node=$(plug pulled.toml 3)
tool again 0 mtkflash $node e --range 0x3000-0x31ff --yes --backup backup.bin
head -c $((0x3200)) pulled.state/position-3.flash | tail -c 512 >sector
blank 512 | cmp - sector
