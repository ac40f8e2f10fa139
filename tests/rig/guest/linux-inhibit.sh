. /rig/linux-lib.sh

# A system bus and logind, without the systemd that starts them elsewhere.
mkdir -p /run/dbus /run/systemd /var/lib/systemd
[ -e /etc/machine-id ] || echo 0123456789abcdef0123456789abcdef >/etc/machine-id
cat >bus.conf <<'END'
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
END
dbus-daemon --config-file=$PWD/bus.conf --nofork --nopidfile >bus 2>&1 &
bus=$!
wait_until test -S /run/dbus/system_bus_socket || fail "no bus: $(cat bus)"
systemd-logind >logind 2>&1 &
logind=$!
trap "kill $logind $bus" EXIT

locks() {
	systemd-inhibit --list --no-pager
}
wait_until locks >locks 2>&1 || fail "no logind: $(cat logind locks bus)"

# blocked WHAT: what logind keeps everybody from now.
blocked() {
	[ "$(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 \
		org.freedesktop.login1.Manager BlockInhibited)" = "s \"$1\"" ]
}
blocked "" || fail "somebody has a lock: $(locks)"

image=/images/sh-d162c-ts05.bin
sed 's/^contents/program_seconds = 3\n&/' /fixtures/benches/tsst.toml >tsst.toml
node=$(plug tsst.toml 3)

# writes NAME: begins a write, and sees the lock while the drive programs.
writes() {
	: >$1
	mtkflash $node w /m $image --yes --no-backup >>$1 2>&1 &
	tool=$!
	wait_until grep -q "The drive programs" $1 || fail "it does not write: $(cat $1)"
	locks | tee $1.locks
	for text in mtkflash shutdown:sleep "A drive's firmware is being written" block; do
		contains $1.locks "$text"
	done
	blocked shutdown:sleep || fail "nothing is blocked"
}

writes done
wait $tool || fail "it failed: $(cat done)"
cat done
blocked "" || fail "the lock is still there: $(locks)"

echo "== killed"
writes killed
kill -KILL $tool
wait $tool || true
wait_until blocked "" || fail "the lock is still there: $(locks)"
