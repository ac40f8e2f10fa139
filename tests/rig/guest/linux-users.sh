. /rig/linux-lib.sh

node=$(plug /fixtures/benches/sst39sf020.toml 3)
sr=$(sr_of $node)
give_nodes_to_cdrom

tool_says stranger 3 as_user '' '' mtkflash $node c
contains stranger 'usermod -aG cdrom'
as_user '' '' mtkflash l >list 2>&1 || true
cat list
contains list 'usermod -aG cdrom'
tool_says member 0 as_user cdrom '' mtkflash $node c
contains member SST39SF020
tool_says member 0 as_user cdrom '' mtkflash $sr c
tool_says ports 3 as_user cdrom '' mtkflash 3 c --via port --yes
contains ports "sudo "

# What root's killed run has changed, only root can take back, and only root reads
# of it.
polling=/sys/block/${sr##*/}/events_poll_msecs
echo 100 >$polling
tool KILL 137 signalled KILL 30 2 mtkflash $node c
as_user '' '' mtkflash l >list 2>&1 || true
[ $(cat $polling) = 0 ] || fail "a stranger restored polling"
tool_says list 0 mtkflash l
contains list "is restored"
echo -1 >$polling

echo "== without the sg module"
rmmod sg
as_user cdrom '' mtkflash l >list 2>&1 || true
cat list
contains list "modprobe sg"
tool_says filtered 3 as_user cdrom '' mtkflash $sr c
contains filtered "modprobe sg"
tool_says gone 3 mtkflash $node c
contains gone "modprobe sg"
tool_says rawio 0 as_user cdrom sys_rawio mtkflash $sr c
tool_says root 0 mtkflash $sr c
insmod /modules/sg.ko

echo "== a write without the sg module"
unplug 2
sed 's/^contents/program_seconds = 0.2\n&/' /fixtures/benches/tsst.toml >tsst.toml
mtkflash --sim tsst.toml l
cp tsst.state/position-3.flash image.bin
sr=$(sr_of $(plug tsst.toml 3))
rmmod sg
give_nodes_to_cdrom
tool_says write 6 as_user cdrom '' mtkflash $sr w /m /b image.bin --yes --no-backup
contains write "modprobe sg"
contains write "Nothing was changed"
if grep ^ff drive-3.log; then fail "a block was sent"; fi
insmod /modules/sg.ko
give_nodes_to_cdrom
tool_says again 0 as_user cdrom '' mtkflash $sr w /m /b image.bin --yes --no-backup
