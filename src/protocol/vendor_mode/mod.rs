//! Vendor mode: the protocol of MTKFLASH and DosFlash.
