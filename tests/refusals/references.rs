//! References that make no sense.

use super::stage::{Case, check_all, repository};

#[test]
fn references_that_make_no_sense() {
    let table = [
        ("", "image reference"),
        ("UPPER/case:v1", "UPPER/case:v1"),
        ("registry.example/app@sha256:12", "registry.example/app@sha256:12"),
        ("registry.example/app@md5:d41d8cd98f00b204e9800998ecf8427e", "md5"),
        ("registry.example/../app:v1", "registry.example/../app:v1"),
        ("https://registry.example/app:v1", "leave out the scheme"),
        ("docker:app", "docker: is followed by //"),
        ("docker-daemon:", "docker-daemon: needs an image name"),
        ("oci:", "oci: needs a directory"),
        ("oci-archive:", "oci-archive: needs a file"),
        ("dir:/tmp/app", "not supported"),
        ("containers-storage:app", "not supported"),
        ("registry.example/app:v1 && true", "registry.example/app:v1 && true"),
    ];
    let cases = table.map(|(text, name)| Case::new("a reference", text, "usage").names(&[name]));
    check_all(&repository(), &cases);
}
