//! (module: image)
