node=$(plug echo 1)

as_user cdrom '' id >who
contains who "uid=1000(user) gid=1000(user) groups=24(cdrom)"
as_user '' '' sg_inq $node >denied 2>&1 && fail "a stranger opened the drive"
contains denied "Permission denied"
as_user cdrom '' sg_inq $node

as_user cdrom '' sed -n 's/^CapEff:\t//p' /proc/self/status >none
as_user cdrom sys_rawio sed -n 's/^CapEff:\t//p' /proc/self/status >rawio
without sys_rawio sed -n 's/^CapEff:\t//p' /proc/self/status >root
contains none 0000000000000000
contains rawio 0000000000020000
[ $((0x$(cat root) & 0x20000)) = 0 ] || fail "root kept the capability: $(cat root)"
