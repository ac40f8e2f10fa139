#!/bin/busybox sh
# The first process of the guest: loads the modules in their order, runs the
# scripts one after the other, sends what each leaves, switches off.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
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

for script in $(cat /rig/scripts); do
	export OUT=/out/$script
	mkdir -p $OUT
	cd $OUT
	timeout 120 sh -eu -o pipefail -c ". /rig/lib.sh; . /rig/$script.sh" >log 2>&1 </dev/null
	echo $? >status
	unplug_all >>log 2>&1
	dmesg -c >kernel
	cd /
	tar c -C /out $script >/dev/vport0p1
	rm -rf $OUT
done
echo "rig: the guest ran for $(cut -d' ' -f1 /proc/uptime) s"
poweroff -f
