# Beside the others: the tool waits for drives that come back. Port 3 is this script's.
. /rig/packets.sh

port=3
written btc btc-0059.bin --no-backup
written tsst sh-d162c-ts05.bin --no-backup
written sd616 sd-616t-f310.bin --no-backup

# Nobody can read it, so there is no backup.
node=$(plug $(quick btc) 3 $port)
tool no-way-back 4 mtkflash $node w /m /images/btc-0051.bin --yes
contains no-way-back.err "--no-backup"
