//! Any bytes as the configuration of an image of up to four layers: no panic, as many layers as the manifest lists, and
//! a layer's build step is the entry of the history that made it. Where history and layers do not line up, no layer
//! has a step: that of a neighbour would be a lie.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use shipproof::descriptor::Descriptor;
use shipproof::digest::Digest;
use shipproof::image::{self, ImageConfig, ImageError};
use shipproof::source::{RawManifest, Source, SourceError};

/// The manifest of so many layers with a configuration.
struct Memory<'b> {
    manifest: Vec<u8>,
    config: &'b [u8],
}

impl Source for Memory<'_> {
    fn root(&self) -> Result<RawManifest, SourceError> {
        Ok(RawManifest { bytes: self.manifest.clone(), digest: Digest::of(&self.manifest) })
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        unreachable!("{descriptor:?} is in no index")
    }

    fn blob(&self, _: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        Ok(Box::new(std::io::Cursor::new(self.config.to_vec())))
    }

    fn pinned(&self, digest: &Digest) -> String {
        digest.to_string()
    }
}

fuzz_target!(|bytes: &[u8]| {
    for layers in 0..=4 {
        check(bytes, layers);
    }
});

fn check(bytes: &[u8], layers: usize) {
    let parsed = ImageConfig::parse(bytes);
    let opened = image::open(&Memory { manifest: manifest(bytes, layers), config: bytes }, &[]);
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => {
            assert!(parsed.is_err() && matches!(error, ImageError::Config { .. }), "{error}");
            return;
        }
    };
    let config = parsed.expect("an image was made of it");
    assert!(config.env().all(|(name, _)| !name.contains('=')));
    let [image] = &opened.images[..] else { panic!("{} images", opened.images.len()) };
    assert_eq!((image.layers.len(), image.config.labels()), (layers, config.labels()));
    let full: Vec<usize> =
        (0..config.history().len()).filter(|&position| config.history()[position].empty_layer != Some(true)).collect();
    for (position, layer) in image.layers.iter().enumerate() {
        assert_eq!(layer.index, position);
        let id = layer.diff_id.as_ref().map(ToString::to_string);
        assert!(id.is_none() || id.as_ref() == config.diff_ids().get(position));
        match &layer.step {
            None => assert_ne!(full.len(), layers, "every layer has its entry, and layer {position} no step"),
            Some(step) => {
                assert_eq!((full.len(), full[position]), (layers, step.history));
                let entry = &config.history()[step.history];
                assert_eq!(step.created_by, entry.created_by.as_deref().unwrap_or_default());
            }
        }
    }
    assert!(opened.warnings.is_empty() || full.len() != layers);
}

fn manifest(config: &[u8], layers: usize) -> Vec<u8> {
    let descriptor = |kind: &str, digest: &Digest, size: usize| {
        format!(r#"{{"mediaType":"application/vnd.oci.image.{kind}","digest":"{digest}","size":{size}}}"#)
    };
    let layer = |position: usize| descriptor("layer.v1.tar", &Digest::of(&[position as u8]), 1);
    let layers: Vec<String> = (0..layers).map(layer).collect();
    let config = descriptor("config.v1+json", &Digest::of(config), config.len());
    format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{}]}}"#, layers.join(",")).into_bytes()
}
