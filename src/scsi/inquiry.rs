//! Who a drive says it is.

/// The identity strings of a standard INQUIRY, without trailing blanks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Bytes 8..16.
    pub vendor: String,
    /// Bytes 16..32.
    pub product: String,
    /// Bytes 32..36.
    pub revision: String,
    /// Unit serial number, where the drive gives one.
    pub serial: Option<String>,
}
