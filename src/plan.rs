//! Which sectors to erase and which bytes to program, in what order. Pure.
