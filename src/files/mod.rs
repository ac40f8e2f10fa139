//! Files: read so that nothing that lies around can hurt, and made whole or
//! not at all.
//!
//! The bottom of the house: it knows paths and bytes, and nothing of drives and
//! firmware.
//!
//! ```text
//! read(path, limit)        a regular file of bounded size; no waiting, no device
//! Place::of(path)          what an output path really leads to
//! must_be_makeable(paths)  every name tried before the work that fills the files
//! Pending                  a group of files that get their names together
//! Locked                   a file that only one run works on
//! Appended                 a file of text that every run adds to
//! ```

mod appended;
mod error;
mod lock;
mod pending;
mod place;
mod read;
mod room;

pub use appended::{Appended, Habits, predecessor};
pub use error::{FileError, Kind};
pub use lock::Locked;
pub use pending::{Pending, Waiting, complete, sync_folder};
pub use place::{
    Place, behind_links, folder_must_take_files, folder_of, is_folder, must_be_makeable,
    must_be_no_link, must_not_replace,
};
pub use read::{Links, ReadError, open, open_to_change, read, read_text};
pub use room::{elsewhere, must_have_room};
