revision() {
	node=$(node_at $1 0 ahci) || fail "no drive at port $1"
	sg_inq $node | tee inquiry
	contains inquiry "Product revision level: $2"
}
revision 1 P0
revision 3 P2
ends_with 1 node_at 2 0 ahci
