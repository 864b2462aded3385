//! The names under which images speak of their source.

use super::Meaning;

/// OCI image specification, annotations.md, and the Label Schema before it (label-schema.org, RC1).
const LABELS: [(&str, Meaning); 8] = [
    ("org.opencontainers.image.revision", Meaning::Revision),
    ("org.opencontainers.image.source", Meaning::Repository),
    ("org.opencontainers.image.version", Meaning::Version),
    ("org.opencontainers.image.created", Meaning::Created),
    ("org.label-schema.vcs-ref", Meaning::Revision),
    ("org.label-schema.vcs-url", Meaning::Repository),
    ("org.label-schema.version", Meaning::Version),
    ("org.label-schema.build-date", Meaning::Created),
];

/// What builds call a commit's id, with dashes between lower-case words: `COMMIT_SHA` of Cloud Build and of
/// deploy-cloudrun's label, `GIT_COMMIT` of Jenkins, `SOURCE_COMMIT` of Docker Hub, `CI_COMMIT_SHA` of GitLab and so on.
const COMMITS: [&str; 21] = [
    "build-commit",
    "build-sha",
    "build-vcs-number",
    "circle-sha1",
    "ci-commit-sha",
    "ci-commit-short-sha",
    "commit",
    "commit-hash",
    "commit-id",
    "commit-sha",
    "git-commit",
    "git-commit-sha",
    "git-hash",
    "git-revision",
    "git-sha",
    "github-sha",
    "revision",
    "short-sha",
    "source-commit",
    "source-version",
    "vcs-ref",
];

/// Names that mean many things; under these only what looks like an id is one.
const AMBIGUOUS: [&str; 4] = ["build-commit", "commit", "revision", "source-version"];

/// What a label of this name is about; `None` for something else than the image's source.
pub(super) fn of_label(name: &str) -> Option<Meaning> {
    let known = LABELS.iter().find(|(label, _)| *label == name).map(|(_, meaning)| *meaning);
    known.or_else(|| of_variable(name))
}

/// The same for an environment variable.
pub(super) fn of_variable(name: &str) -> Option<Meaning> {
    COMMITS.contains(&dashed(name).as_str()).then_some(Meaning::Revision)
}

/// Whether a claim's source (`label NAME`, `env NAME`) means a commit, whatever its value looks like.
pub(super) fn is_unmistakable(source: &str) -> bool {
    let name = source.split_once(' ').map_or(source, |(_, name)| name);
    !AMBIGUOUS.contains(&dashed(name).as_str())
}

fn dashed(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}
