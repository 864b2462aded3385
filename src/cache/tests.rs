use std::time::Duration;

use super::*;

fn key(text: &str) -> Key {
    Key { kind: Kind::Document, digest: Digest::of(text.as_bytes()) }
}

fn put(cache: &Cache, text: &str, bytes: usize) {
    cache.write(&key(text), std::iter::once(vec![b'x'; bytes]));
    assert_eq!(cache.trouble(), None);
}

fn get(cache: &Cache, text: &str) -> Option<Vec<u8>> {
    cache.read(&key(text), |all: &mut Vec<u8>, block| {
        all.extend_from_slice(block);
        Some(())
    })
}

fn cache(most: u64) -> (tempfile::TempDir, Cache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path().join("made/when needed"), most);
    (folder, cache)
}

#[test]
fn blocks_come_back_in_their_order() {
    let (_folder, cache) = cache(1 << 20);
    assert_eq!(get(&cache, "a"), None);
    cache.write(&key("a"), [b"one".to_vec(), Vec::new(), b"two".to_vec()].into_iter());
    assert_eq!(get(&cache, "a"), Some(b"onetwo".to_vec()));
    assert_eq!(get(&cache, "b"), None);
    cache.write(&key("a"), std::iter::empty());
    assert_eq!(get(&cache, "a"), Some(Vec::new()), "written anew");
    assert_eq!(get(&Cache::off(), "a"), None);
}

#[test]
fn no_damage_is_believed() {
    let (_folder, cache) = cache(1 << 20);
    put(&cache, "a", 40);
    let path = key("a").path(cache.folder().unwrap());
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        assert_eq!(get(&cache, "a"), None, "byte {at} changed");
        fs::write(&path, &whole[..at]).unwrap();
        assert_eq!(get(&cache, "a"), None, "cut to {at} bytes");
    }
    fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert_eq!(get(&cache, "a"), None, "a byte too many");
    fs::rename(&path, key("b").path(cache.folder().unwrap())).unwrap();
    assert_eq!(get(&cache, "b"), None);
    fs::write(key("b").path(cache.folder().unwrap()), &whole).unwrap();
    assert_eq!(get(&cache, "b"), None, "whole, and another's");
    put(&cache, "a", 40);
    assert_eq!(get(&cache, "a").map(|bytes| bytes.len()), Some(40), "written anew");
}

#[test]
fn what_was_used_longest_ago_goes_first() {
    let (_folder, cache) = cache(10_000);
    let age = |text: &str, seconds: u64| {
        let file = File::open(key(text).path(cache.folder().unwrap())).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    };
    for (text, seconds) in [("old", 30), ("older", 40), ("young", 20)] {
        put(&cache, text, 3000);
        age(text, seconds);
    }
    assert!(get(&cache, "older").is_some(), "which makes it the youngest");
    put(&cache, "new", 3000);
    let there = ["old", "older", "young", "new"].map(|text| get(&cache, text).is_some());
    assert_eq!(there, [false, true, false, true], "to nine tenths of the room, not just enough for the new one");
}

#[test]
fn holdings_count_what_can_be_used_and_pruning_takes_the_rest_too() {
    let (_folder, cache) = cache(1 << 20);
    assert_eq!(cache.holdings().unwrap().bytes, 0, "a folder that is not there");
    put(&cache, "a", 1000);
    let folder = cache.folder().unwrap();
    fs::create_dir(folder.join("layer-index-0-sha1")).unwrap();
    fs::write(folder.join("layer-index-0-sha1/sha256-0"), [0; 500]).unwrap();
    let abandoned = folder.join(Kind::Document.folder()).join(".new-1");
    fs::write(&abandoned, [0; 70]).unwrap();
    let holdings = cache.holdings().unwrap();
    let documents = &holdings.kinds[2];
    assert_eq!((documents.kind, documents.entries), (Kind::Document, 1));
    assert!((1000..1200).contains(&documents.bytes), "{documents:?}");
    assert_eq!((holdings.bytes, holdings.unusable), (documents.bytes, 570));
    for (name, at) in [("mine", "document-1/notes.txt"), ("theirs", "src/sha256-0"), ("top", "sha256-0")] {
        let path = folder.join(at);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    assert_eq!(cache.prune(1 << 20).unwrap(), 0, "someone may be writing it");
    File::open(&abandoned).unwrap().set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
    assert_eq!(cache.prune(1 << 20).unwrap(), 70);
    assert_eq!(cache.prune(0).unwrap(), documents.bytes + 500);
    assert_eq!((cache.holdings().unwrap().bytes, cache.holdings().unwrap().unusable), (0, 0));
    for at in ["document-1/notes.txt", "src/sha256-0", "sha256-0", "CACHEDIR.TAG"] {
        assert!(folder.join(at).exists(), "{at} is no entry");
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_is_told_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let cache = Cache::at(folder.path().join("file/cache"), 1 << 20);
    cache.write(&key("a"), std::iter::once(b"one".to_vec()));
    assert!(cache.trouble().is_some_and(|trouble| trouble.contains("file/cache cannot be written to")));
    assert_eq!(get(&cache, "a"), None);
}
