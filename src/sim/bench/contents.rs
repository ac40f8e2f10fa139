//! What a flash holds before any run.

use serde::Deserialize;

use crate::scsi::Identity;
use crate::sim::firmware::{Firmware, Names, erased_but_boot_code};
use crate::sim::random::Random;

/// What a flash holds when there is no state yet.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "recipe", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Contents {
    /// A [`Firmware`], with the drive's own identity unless others are named.
    Firmware {
        #[serde(default)]
        seed: u64,
        vendor: Option<String>,
        product: Option<String>,
        revision: Option<String>,
    },
    /// As `firmware`, of which only the first 64 KiB are left: the boot code of
    /// a Blu-ray drive.
    BootCode,
    /// FF throughout.
    Blank,
    /// 00 throughout.
    Zeros,
    /// Random bytes.
    Noise {
        #[serde(default)]
        seed: u64,
    },
}

impl Default for Contents {
    fn default() -> Self {
        Contents::Firmware {
            seed: 0,
            vendor: None,
            product: None,
            revision: None,
        }
    }
}

impl Contents {
    pub fn bytes(&self, size: u32, identity: &Identity, names: Names) -> Vec<u8> {
        let length = size as usize;
        match self {
            Contents::BootCode => {
                let firmware = Contents::default().bytes(size, identity, names);
                erased_but_boot_code(firmware)
            }
            Contents::Blank => vec![0xFF; length],
            Contents::Zeros => vec![0x00; length],
            Contents::Noise { seed } => Random::new(*seed).bytes(length),
            Contents::Firmware {
                seed,
                vendor,
                product,
                revision,
            } => Firmware::new(size, *seed)
                .with(names)
                .identified(
                    vendor.as_ref().unwrap_or(&identity.vendor),
                    product.as_ref().unwrap_or(&identity.product),
                    revision.as_ref().unwrap_or(&identity.revision),
                )
                .bytes(),
        }
    }
}
