//! (module: drive)
