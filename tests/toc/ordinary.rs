//! The layers that the tests make are ordinary layers to whoever knows nothing of tables.

use crate::support::images::Layout;
use crate::support::unpacked::umoci_unpack;

use super::stage::{Stage, estargz, image};

#[test]
fn umoci_unpacks_them_to_the_same_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut layout = Layout::new();
    layout.tag("plain", &image());
    layout.tag("estargz", &estargz(image()));
    layout.write_to(folder.path());
    let (Some(plain), Some(mut table)) = (umoci_unpack(folder.path(), "plain"), umoci_unpack(folder.path(), "estargz"))
    else {
        return;
    };
    // Two files come with the form, and are there for everybody.
    for name in [".no.prefetch.landmark", "stargz.index.json"] {
        assert!(table.remove(name.as_bytes()).is_some(), "{name}");
    }
    assert_eq!(plain, table);
}

/// The files that come with the form are in the answer from the table as they are in the one from the layer.
#[test]
fn a_table_lists_what_the_layer_has_and_itself() {
    let stage = Stage::new();
    stage.holds(&estargz(image()));
    let files = |more: &[&str]| {
        let outcome = stage.run(&[&["layers", "IMAGE", "--format", "json", "--no-cache"], more].concat());
        let report = outcome.exits(0).json();
        let layers = report["layers"].as_array().expect("a report has layers").clone();
        layers.iter().map(|layer| (layer["files"].clone(), layer["whiteouts"].clone())).collect::<Vec<_>>()
    };
    let read = files(&[]);
    assert!(read.len() == 3 && read[0].0.as_u64() > Some(700), "{read:?}");
    assert_eq!(files(&["--trust-toc"]), read);
}
