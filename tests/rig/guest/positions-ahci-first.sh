revision() {
	node=$(node_at $1 $2 $3) || fail "no drive of $3 at port $1 target $2"
	sg_inq $node | tee inquiry
	contains inquiry "Product revision level: $4"
}
revision 1 1 ata_piix PS
revision 2 0 ata_piix SM
revision 1 0 ahci A0
ends_with 1 node_at 1 0 ata_piix
ends_with 1 node_at 2 1 ata_piix

# The global numbers tell nothing about positions: the AHCI drive has the first ones.
contains /sys/class/scsi_generic/sg0/device/rev A0
ata=$(readlink -f /sys/class/scsi_generic/sg2/device | sed 's|.*/ata\([0-9]*\)/.*|\1|')
[ $ata -gt 2 ] || fail "the secondary channel is ata$ata"
