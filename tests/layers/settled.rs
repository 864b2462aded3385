//! What the upper layers of a random image settle is so in the whole image.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use shipproof::blob::ObjectFormat;
use shipproof::layer::{Change, LayerIndex};
use shipproof::limits;
use shipproof::path::ImagePath;
use shipproof::tree::{FileTree, settles};

use super::maker::Maker;
use super::support::layers::Layer;

const STACKS: u64 = 4000;

/// Of the questions about a part of the layers, at least so many have to be settled, or nothing was tested.
const SETTLED: usize = 2000;

fn index(lines: &[String]) -> Option<Arc<LayerIndex>> {
    let layer = Layer::text(&lines.join("\n"));
    LayerIndex::read(&layer.blob[..], ObjectFormat::Sha1).ok().map(Arc::new)
}

/// What a path leads to: where that really is, and everything about it.
fn meaning(tree: &FileTree, path: &ImagePath) -> String {
    match tree.lookup(path) {
        Ok(Some(found)) => format!("{:?} {:?}", found.path, tree.node(found.id)),
        Ok(None) => "nothing".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The paths that any layer names, and one that none does.
fn paths(layers: &[Arc<LayerIndex>]) -> BTreeSet<ImagePath> {
    let changes = layers.iter().flat_map(|layer| &layer.changes);
    let named = changes.map(|change| match change {
        Change::Put(entry) => entry.path.clone(),
        Change::Remove(path) | Change::Opaque(path) => path.join(b"a"),
    });
    named.chain([ImagePath::clean(b"a/b/c")]).collect()
}

#[test]
fn nothing_below_changes_what_is_settled() {
    let (mut asked, mut settled, mut absent) = (0, 0, 0);
    let mut report = String::new();
    for seed in 0..STACKS {
        let stack = Maker::new(seed).stack();
        let Some(layers) = stack.iter().map(|lines| index(lines)).collect::<Option<Vec<_>>>() else { continue };
        let Ok(whole) = FileTree::of(0, &layers, limits::TREE_BYTES) else { continue };
        for from in 1..layers.len() {
            let Ok(partial) = FileTree::of(from, &layers[from..], limits::TREE_BYTES) else { continue };
            for path in paths(&layers) {
                asked += 1;
                if !settles(&layers[from..], std::slice::from_ref(&path)) {
                    continue;
                }
                settled += 1;
                let (expected, actual) = (meaning(&whole, &path), meaning(&partial, &path));
                absent += usize::from(expected == "nothing");
                if expected != actual {
                    let _ = writeln!(report, "{seed}, from layer {from}, {path}: {actual} is {expected}\n{stack:#?}");
                }
            }
        }
    }
    assert!(report.is_empty(), "{}", report.chars().take(4000).collect::<String>());
    assert!(settled > SETTLED && absent > SETTLED / 20, "{settled} of {asked}, {absent} of them nothing");
}
