//! The layers that the tests make are ordinary layers to whoever knows nothing of tables.

use std::collections::BTreeMap;
use std::time::Duration;

use shipproof::blob::ObjectFormat;
use shipproof::cache::Cache;
use shipproof::layer::{self, Change, Effort, Entry, EntryKind, FileContent};
use shipproof::{auth, image, source};

use crate::support::images::Layout;
use crate::support::unpacked::umoci_unpack;

use super::stage::{Stage, estargz, image as staged};

#[test]
fn umoci_unpacks_them_to_the_same_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut layout = Layout::new();
    layout.tag("plain", &staged());
    layout.tag("estargz", &estargz(staged()));
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

/// The index from a table is the one from the layer, in all that a table can say: paths, order, kinds, modes, times,
/// sizes, digests, whiteouts and links.
#[test]
fn a_table_says_what_the_layer_says() {
    let stage = Stage::new();
    stage.holds(&estargz(staged()));
    agrees(&stage, 4);
    if stage.holds_chunked(&staged()) {
        agrees(&stage, 4);
    }
}

fn agrees(stage: &Stage, layers: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = source::Options {
        runtime: runtime.handle().clone(),
        credentials: auth::Environment::default(),
        tls: source::Tls::default(),
        timeout: Duration::from_secs(30),
        docker_host: None,
        observer: source::Observer::default(),
        cache: Cache::off(),
    };
    let reference = format!("oci:{}:v1", stage.folder().display()).parse().expect("a reference");
    let source = source::open(&reference, &options).expect("the layout is there");
    let opened = image::open(source.as_ref(), &[]).expect("an image");
    let descriptors: Vec<_> = opened.images[0].layers.iter().map(|layer| &layer.descriptor).collect();
    let (format, effort) = (ObjectFormat::Sha1, Effort::default());
    let mut read = layer::index_all(source.as_ref(), &descriptors, format, &effort).expect("the layers are good");
    let mut tabled = layer::index_by_tables(source.as_ref(), &descriptors, format, &effort);
    assert!(tabled.refused.is_empty(), "{:?}", tabled.refused);
    assert_eq!((tabled.trusted.len(), tabled.indexes.len()), (layers, layers));
    for (digest, index) in &mut read {
        // What is not known of files, and where they are.
        let mut index = index.as_ref().clone();
        let known: BTreeMap<_, _> = index.contents().map(|content| (content.sha256, content.blob)).collect();
        layer::name_contents(&mut tabled.indexes, &known);
        for change in &mut index.changes {
            if let Change::Put(Entry { kind: EntryKind::Regular(content), .. }) = change {
                content.position = FileContent::UNPLACED;
            }
        }
        let tabled = &tabled.indexes[digest];
        for (said, is) in tabled.changes.iter().zip(&index.changes) {
            assert_eq!(said, is);
        }
        assert_eq!((tabled.changes.len(), tabled.file_bytes), (index.changes.len(), index.file_bytes));
    }
}

/// The files that come with the form are in the answer from the table as they are in the one from the layer.
#[test]
fn a_table_lists_what_the_layer_has_and_itself() {
    let stage = Stage::new();
    stage.holds(&estargz(staged()));
    let files = |more: &[&str]| {
        let outcome = stage.run(&[&["layers", "IMAGE", "--format", "json", "--no-cache"], more].concat());
        let report = outcome.exits(0).json();
        let layers = report["layers"].as_array().expect("a report has layers").clone();
        layers.iter().map(|layer| (layer["files"].clone(), layer["whiteouts"].clone())).collect::<Vec<_>>()
    };
    let read = files(&[]);
    assert!(read.len() == 4 && read[0].0.as_u64() > Some(300), "{read:?}");
    assert_eq!(files(&["--trust-toc"]), read);
}
