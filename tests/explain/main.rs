//! Why an image differs: statuses, commits, causes and claims, by images whose story is known.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod built;
mod claims;
mod contains;
mod differences;
mod lfs;
mod merges;
mod python;
mod random;
mod rows;
mod shapes;
mod slow;
mod story;
mod table;
mod unseen;
