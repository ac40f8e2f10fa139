for layout in 72 73; do
	node=$(plug /fixtures/benches/serial-$layout.toml 3)
	tool check-$layout 0 mtkflash $node c
	contains check-$layout.out "mode status $layout"
	tool read-$layout 0 mtkflash $node r /m /b part-$layout.bin --range 0x10100-0x102ff
	unplug 2
	cp serial-$layout.state/position-3.counters.toml counters-$layout
done
