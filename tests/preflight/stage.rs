//! Images as text with the programs that they run, and the question whether they start.

use tempfile::TempDir;

use super::support::cli::{Outcome, Shipproof};
use super::support::images::{Image, Layout};

/// The machine number of amd64 and of arm64 in ELF.
pub(crate) const AMD64: u16 = 62;
pub(crate) const ARM64: u16 = 183;

/// A 64-bit ELF program that ends at once with success on amd64, as the contents of a file in the tests' text. It names
/// `loader` if that is not empty.
pub(crate) fn elf(machine: u16, loader: &str) -> String {
    // mov edi, 0; mov eax, 60 (exit); syscall
    let code = b"\xbf\0\0\0\0\xb8\x3c\0\0\0\x0f\x05";
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
    bytes.extend(machine.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    let headers = if loader.is_empty() { 1 } else { 2 };
    let start = 64 + 56 * headers as u64;
    let base = 0x40_0000_u64;
    bytes.extend([base + start, 64, 0].map(u64::to_le_bytes).concat());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend([64_u16, 56, headers, 64, 0, 0].map(u16::to_le_bytes).concat());
    let end = start + code.len() as u64 + loader.len() as u64 + 1;
    if !loader.is_empty() {
        let at = start + code.len() as u64;
        header(&mut bytes, 3, at, base + at, loader.len() as u64 + 1);
    }
    header(&mut bytes, 1, 0, base, end);
    bytes.extend(code);
    bytes.extend(loader.as_bytes());
    bytes.push(0);
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

fn header(bytes: &mut Vec<u8>, kind: u32, at: u64, address: u64, size: u64) {
    bytes.extend([kind, 5].map(u32::to_le_bytes).concat());
    bytes.extend([at, address, address, size, size, 0x1000].map(u64::to_le_bytes).concat());
}

/// An image with a shell, a Python 3.12 with `flask` 3.0.0 and `gunicorn` 23.0.0, and a Node, none of which does anything.
pub(crate) fn base() -> Image {
    let program = elf(AMD64, "/lib64/ld.so");
    let loader = elf(AMD64, "");
    let site = "usr/local/lib/python3.12/site-packages";
    Image::new().workdir("/app").text(&format!(
        "f lib64/ld.so 0755 {loader}\nf bin/sh 0755 {program}\nf usr/bin/env 0755 {program}\n\
         f usr/local/bin/python3.12 0755 {program}\nl usr/local/bin/python3 -> python3.12\nl usr/local/bin/python -> python3\n\
         f usr/local/bin/gunicorn 0755 #!/usr/local/bin/python3.12\\n\nf usr/local/bin/flask 0755 #!/usr/bin/env python3\\n\n\
         f {site}/flask/__init__.py 0644 x\nf {site}/flask-3.0.0.dist-info/METADATA 0644 x\n\
         f {site}/gunicorn-23.0.0.dist-info/METADATA 0644 x\nf usr/local/lib/python3.12/os.py 0644 x\n\
         f usr/local/bin/node 0755 {program}\nf etc/passwd 0644 root:x:0:0\\napp:x:1000:1000\\n\nf etc/group 0644 root:x:0\\n\n\
         f app/main.py 0644 import flask\\napp = flask.Flask(__name__)\\n\n"
    ))
}

/// Sets the command.
pub(crate) fn cmd(image: Image, words: &[&str]) -> Image {
    image.edit(|config| config["config"]["Cmd"] = words.into())
}

/// Asks whether `image` starts.
pub(crate) fn ask(image: &Image, arguments: &[&str]) -> Outcome {
    let folder: TempDir = tempfile::tempdir().expect("a temporary folder");
    let mut layout = Layout::new();
    layout.tag("v1", image);
    layout.write_to(&folder.path().join("layout"));
    let shipproof = Shipproof::new().directory(folder.path());
    shipproof.run(&[&["preflight", "oci:layout:v1"], arguments].concat())
}

/// The findings as `kind weight`, in order.
pub(crate) fn kinds(outcome: &Outcome) -> Vec<String> {
    let report = outcome.json();
    let findings = report["findings"].as_array().expect("a list").iter();
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    findings.map(|finding| format!("{} {}", text(&finding["kind"]), text(&finding["weight"]))).collect()
}
