# Everything that scripts call starts here, with its libraries.
for program in mtkflash rig btcflash sg_inq sg_turs sg_raw sg_read_buffer sg_write_buffer sg_requests /bin/setpriv; do
	status=0
	$program --help >help 2>&1 </dev/null || status=$?
	[ $status -lt 126 ] || fail "$program ends with $status: $(cat help)"
done
