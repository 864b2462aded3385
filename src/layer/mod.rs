//! What a layer says: its entries, read in one pass, and only believed when the whole layer is proven.

mod ahead;
mod budget;
mod cache;
mod content;
mod error;
mod gather;
mod index;
mod kept;
mod reading;
mod tar;
mod toc;
mod watch;
mod whiteout;

pub use content::contents;
pub use error::{LayerError, LayerFault, MORE_MEMORY};
pub use gather::{Wanted, gather};
pub use index::{Change, Entry, EntryKind, FileContent, LayerIndex};
pub use kept::Kept;
pub use reading::{Effort, Indexes, Upper, index_all, index_down, index_keeping};
pub use tar::TarError;
pub use toc::{TableError, Tabled, identify_contents, index_by_tables, name_contents};
pub use watch::{Event, Watch};
