. /rig/linux-lib.sh

mtkflash l >list
cat list

index=0
for revision in PM PS SM SS; do
	index=$((index + 1))
	# Nodes and link lead to the same drive, and so does the index.
	sg=$(node_at $(((index + 1) / 2)) $(((index + 1) % 2)))
	sr=$(sr_of $sg)
	ln -sf $sr /dev/cdrom
	for drive in $index $sg /dev/cdrom; do
		tool_says check 6 mtkflash $drive c --via ata
		contains check "QEMU DVD-ROM $revision"
		contains check "$sr"
	done
	grep -q "^$index *$sr $sg *QEMU QEMU DVD-ROM $revision" list || fail "drive $index is not $revision"
done

# Nothing of the machine in the second one: the program's own start.
for command in l --version; do
	echo "== five times $command"
	time sh -c "for i in 1 2 3 4 5; do mtkflash $command >/dev/null; done" 2>&1
done
