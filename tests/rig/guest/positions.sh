# revision PORT TARGET REVISION
revision() {
	node=$(node_at $1 $2) || fail "no drive at port $1 target $2"
	sg_inq $node | tee inquiry
	contains inquiry "Product revision level: $3"
}
revision 1 0 PM
revision 1 1 PS
revision 2 0 SM
revision 2 1 SS
