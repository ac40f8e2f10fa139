#!/bin/busybox sh
# The first process of the guest: loads the modules in their order, runs the
# scripts one after the other, sends what each leaves, switches off.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t securityfs securityfs /sys/kernel/security
mount -t devtmpfs dev /dev
mkdir /dev/pts
mount -t devpts devpts /dev/pts
chmod 1777 /tmp

for module in $(cat /modules/order); do
	case $module in
	usb_storage) parameters=delay_use=0 ;;
	*) parameters= ;;
	esac
	insmod /modules/$module.ko $parameters || echo "rig: no module $module"
done

. /rig/lib.sh
wait_until devices_are_there || echo "rig: devices are missing"
give_nodes_to_cdrom

# run SCRIPT: what it leaves is in its folder.
run() {
	export OUT=/out/$1 SERVERS=/run/servers-$1
	mkdir -p $OUT $SERVERS
	cd $OUT
	timeout $(cat /rig/patience) sh -eu -o pipefail -c ". /rig/lib.sh; . /rig/$1.sh" >log 2>&1 </dev/null
	echo $? >status
	unplug_all >>log 2>&1
}

# send SCRIPT: its folder, through the port.
send() {
	cd /
	dmesg -c >/out/$1/kernel
	tar c -C /out $1 >/dev/vport0p1
	rm -rf /out/$1
}

# A script that mostly waits says so in its first line and runs beside the others.
beside=
for script in $(cat /rig/scripts); do
	case $(head -n 1 /rig/$script.sh) in
	"# Beside the others"*)
		run $script &
		beside="$beside $script"
		;;
	*)
		run $script
		send $script
		;;
	esac
done
wait
for script in $beside; do
	send $script
done
echo "rig: the guest ran for $(cut -d' ' -f1 /proc/uptime) s"
poweroff -f
