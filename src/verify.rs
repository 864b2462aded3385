//! The main job from end to end: image against git.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::{self, Finding, Sides, Status, Strictness};
use crate::error::Error;
use crate::image;
use crate::image::{Image, Opened};
use crate::layer::{self, FileContent, Indexes};
use crate::limits;
use crate::mapping::{self, Evidence, MappingError, Plan, Presence, Request};
use crate::path::{ImagePath, RepoPath};
use crate::platform::Platform;
use crate::repo::{self, Commit, Conversion, ConversionKind, Normalizer, Repository, Snapshot};
use crate::select::{Pattern, Selection};
use crate::source::Source;
use crate::tree::FileTree;

/// What of git the image is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// A revision, in git's notation.
    Revision(String),
    /// The files on disk.
    Worktree,
}

/// What to verify.
#[derive(Debug)]
pub struct Options {
    /// Platforms to look at; all when empty.
    pub platforms: Vec<Platform>,
    /// What of git to compare with.
    pub against: Against,
    /// What is known of the mapping.
    pub mapping: Request,
    /// Which files.
    pub selection: Selection,
    /// What counts as a difference.
    pub strictness: Strictness,
    /// Layers read at once.
    pub jobs: usize,
}

/// The git side of a comparison.
#[derive(Clone, Debug)]
pub struct GitSide {
    /// The commit; of a work tree the one it is based on, where there is one.
    pub commit: Option<Commit>,
    /// The files.
    pub snapshot: Snapshot,
}

/// What came of it.
#[derive(Debug)]
pub struct Verification {
    /// What the reference led to.
    pub opened: Opened,
    /// What it was compared with.
    pub git: GitSide,
    /// One for each platform.
    pub platforms: Vec<PlatformResult>,
    /// What counts as a difference.
    pub strictness: Strictness,
}

/// What came of one platform.
#[derive(Debug)]
pub struct PlatformResult {
    /// The image.
    pub image: Image,
    /// The mapping.
    pub plan: Plan,
    /// Every file that was looked at, by its path in the image.
    pub findings: Vec<Finding>,
    /// Files that could not be judged, because git keeps them in a form that only a program of the user's makes.
    pub filtered: Vec<Filtered>,
}

const FILTERED: &str = "git passes it through a program that is never run, the filter";

/// A file that git passes through a program (`filter=` in `.gitattributes`), which is never run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filtered {
    /// The file.
    pub path: RepoPath,
    /// The filter's name.
    pub filter: String,
}

impl Verification {
    /// Whether every file agrees.
    pub fn agrees(&self) -> bool {
        !self.findings().any(|finding| finding.status.differs(self.strictness))
    }

    /// The findings of all platforms.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.platforms.iter().flat_map(|platform| &platform.findings)
    }

    /// How many files were held against git.
    pub fn compared(&self) -> usize {
        self.findings().filter(|finding| finding.status.is_comparison()).count()
    }

    /// What was noticed on the way, each thing once.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.opened.warnings.clone();
        warnings.extend(self.platforms.iter().flat_map(|platform| platform.plan.warnings.clone()));
        let filtered = self.platforms.iter().flat_map(|platform| &platform.filtered);
        warnings
            .extend(filtered.map(|file| format!("{} could not be judged: {FILTERED} `{}`", file.path, file.filter)));
        let mut seen = BTreeSet::new();
        warnings.retain(|warning| seen.insert(warning.clone()));
        warnings
    }
}

/// Verifies the image in `source` against `repository`.
///
/// # Errors
/// See [`Error`]; a comparison of nothing is one.
pub fn verify(source: &dyn Source, repository: &Repository, options: &Options) -> Result<Verification, Error> {
    let git = git_side(repository, &options.against)?;
    let opened = image::open(source, &options.platforms)?;
    let layers: Vec<_> = opened.images.iter().flat_map(|image| &image.layers).map(|layer| &layer.descriptor).collect();
    let indexes = layer::index_all(source, &layers, repository.object_format(), options.jobs)?;
    let job = Job { source, repository, git: &git, indexes: &indexes, options };
    let platforms = opened.images.iter().map(|image| job.platform(image)).collect::<Result<Vec<_>, _>>()?;
    let verification = Verification { git, opened, platforms, strictness: options.strictness };
    job_done(&verification, options)?;
    Ok(verification)
}

fn git_side(repository: &Repository, against: &Against) -> Result<GitSide, Error> {
    Ok(match against {
        Against::Revision(revision) => {
            let commit = repository.resolve(revision)?;
            let snapshot = repo::of_revision(repository, &commit)?;
            GitSide { commit: Some(commit), snapshot }
        }
        Against::Worktree => {
            GitSide { commit: repository.resolve("HEAD").ok(), snapshot: repo::of_worktree(repository)? }
        }
    })
}

/// An empty comparison is never a pass, and a pattern that names nothing is never silently dropped.
fn job_done(verification: &Verification, options: &Options) -> Result<(), Error> {
    let filtered: Vec<&Filtered> = verification.platforms.iter().flat_map(|result| &result.filtered).collect();
    // A file that surely differs settles the verdict; else the files that cannot be judged leave it open.
    if let Some(first) = filtered.first().filter(|_| verification.agrees()) {
        let (path, filter) = (first.path.clone(), first.filter.clone());
        return Err(Error::Filtered { path, filter, count: filtered.len() });
    }
    for pattern in options.selection.patterns() {
        let text = || String::from_utf8_lossy(&pattern.text).into_owned();
        let mut named = verification.findings().filter(|finding| is_named(pattern, finding)).peekable();
        if named.peek().is_none() {
            let in_git = verification.git.snapshot.files.keys().any(|path| pattern.matches_repo(path));
            return Err(if in_git { Error::NotMapped(text()) } else { Error::NoMatch(text()) });
        }
        // What a glob names besides git's files is no more than untracked; what was named itself was to be compared.
        if named.all(|finding| finding.status == Status::Untracked) {
            return Err(Error::NotInGit(text()));
        }
    }
    verification.platforms.iter().try_for_each(|result| something_compared(result, options))
}

fn something_compared(result: &PlatformResult, options: &Options) -> Result<(), Error> {
    if result.findings.iter().any(|finding| finding.status.is_comparison()) {
        return Ok(());
    }
    let missing = result.findings.iter().filter(|finding| finding.status == Status::Missing).count();
    let supported = result.plan.mappings.iter().any(|mapping| mapping.files > 0);
    match missing {
        0 => Err(Error::OnlyUntracked),
        // A named file that is missing beside others that are there was looked for in the right place.
        _ if supported && !options.selection.is_everything() => Ok(()),
        expected => Err(Error::NothingCompared { expected }),
    }
}

fn is_named(pattern: &Pattern, finding: &Finding) -> bool {
    pattern.matches(finding.repo.as_ref().map(|(path, _)| path), &finding.image)
}

/// The merged file system of an image.
///
/// # Errors
/// See [`TreeError`](crate::tree::TreeError).
///
/// # Panics
/// When `indexes` does not come from [`layer::index_all`] over all layers of the image.
pub fn merge(image: &Image, indexes: &Indexes) -> Result<FileTree, Error> {
    let mut tree = FileTree::default();
    for layer in &image.layers {
        let index = indexes.get(&layer.digest()).expect("a layer that is left out would make another image");
        tree.apply(layer.index, index)?;
    }
    Ok(tree)
}

struct Job<'a> {
    source: &'a dyn Source,
    repository: &'a Repository,
    git: &'a GitSide,
    indexes: &'a Indexes,
    options: &'a Options,
}

impl Job<'_> {
    fn platform(&self, image: &Image) -> Result<PlatformResult, Error> {
        let tree = merge(image, self.indexes)?;
        let read = |path: &RepoPath| self.repository.read(&self.git.snapshot, path, limits::REPO_TEXT_BYTES).ok();
        let evidence = Evidence { tree: &tree, config: &image.config, files: &self.git.snapshot.files, read: &read };
        let mut plan = self.plan(&evidence)?;
        let rivals = std::mem::take(&mut plan.rivals);
        let mut best = self.judge(image, &tree, plan)?;
        for rival in rivals {
            let unsettled = self.unsettled(&best);
            if unsettled == (0, 0) {
                break;
            }
            let next = self.judge(image, &tree, rival)?;
            if self.unsettled(&next) < unsettled {
                best = next;
            }
        }
        Ok(best)
    }

    fn judge(&self, image: &Image, tree: &FileTree, plan: Plan) -> Result<PlatformResult, Error> {
        let mut findings = self.compare(tree, &plan)?;
        let filtered = self.normalize(image, &mut findings)?;
        let is_filtered = |path: &RepoPath| filtered.iter().any(|file: &Filtered| file.path == *path);
        findings.retain(|finding| {
            finding.status != Status::Modified || !finding.repo.as_ref().is_some_and(|(path, _)| is_filtered(path))
        });
        Ok(PlatformResult { image: image.clone(), plan, findings, filtered })
    }

    /// Files that were named and not found, then files that differ or could not be judged: the fewer there are, the
    /// better a plan explains the image.
    fn unsettled(&self, result: &PlatformResult) -> (usize, usize) {
        let named = |pattern: &Pattern| result.findings.iter().any(|finding| is_named(pattern, finding));
        let unnamed = self.options.selection.patterns().iter().filter(|pattern| !named(pattern)).count();
        let differs = |finding: &&Finding| finding.status.differs(self.options.strictness);
        (unnamed, result.findings.iter().filter(differs).count() + result.filtered.len())
    }

    fn plan(&self, evidence: &Evidence<'_>) -> Result<Plan, Error> {
        let names: Vec<&[u8]> = self.options.selection.names().collect();
        let (mut plan, unmapped) = match mapping::plan(evidence, &self.options.mapping) {
            Ok(plan) => (plan, None),
            // A file may be told by its name alone.
            Err(error @ (MappingError::NothingInCommon | MappingError::Ambiguous { .. })) if !names.is_empty() => {
                (Plan::default(), Some(error))
            }
            Err(error) => return Err(error.into()),
        };
        for name in &names {
            mapping::add_stray_copies(evidence, name, &mut plan);
            plan.rivals.iter_mut().for_each(|rival| mapping::add_stray_copies(evidence, name, rival));
        }
        let submodules = self.submodules(&plan);
        plan.warnings.extend(submodules);
        match unmapped.filter(|_| plan.expected.is_empty()) {
            Some(error) => Err(error.into()),
            None => Ok(plan),
        }
    }

    /// Submodules inside the mapped directories; their files are another repository's.
    fn submodules(&self, plan: &Plan) -> Vec<String> {
        let mapped = |path: &&RepoPath| plan.mappings.iter().any(|mapping| path.starts_with(&mapping.repo));
        let inside = self.git.snapshot.submodules.iter().filter(mapped);
        inside.map(|path| format!("{path} is a repository of its own (a submodule) and was not compared")).collect()
    }

    fn compare(&self, tree: &FileTree, plan: &Plan) -> Result<Vec<Finding>, Error> {
        let selection = &self.options.selection;
        let files = &self.git.snapshot.files;
        let sides = Sides { tree, files, format: self.repository.object_format() };
        let (mut findings, mut absent) = (Vec::new(), Vec::new());
        let mut known = BTreeSet::new();
        for (image, expected) in &plan.expected {
            known.extend(tree.lookup(image).ok().flatten().map(|found| found.path));
            known.extend(tree.entry(image).ok().flatten().map(|found| found.path));
            let Some(file) = files.get(&expected.repo) else { continue };
            if !selection.matches(Some(&expected.repo), image) {
                continue;
            }
            let finding = sides.pair(image, &expected.repo, *file);
            let optional = expected.presence == Presence::IfThere && finding.status == Status::Missing;
            match optional {
                true if !selection.promises(&expected.repo, image) => {}
                true => absent.push((finding, selection.is_name_only(&expected.repo, image))),
                false => findings.push(finding),
            }
        }
        absent.retain(|(absent, by_name)| !findings.iter().any(|finding| stands_for(finding, absent, *by_name)));
        findings.extend(absent.into_iter().map(|(absent, _)| absent));
        let patterns = self.looked_for_everywhere(&findings);
        let named = |path: &ImagePath| patterns.iter().any(|pattern| pattern.matches_image(path));
        let untracked = compare::untracked(tree, &plan.directories, &known, &named)?;
        findings.extend(untracked.into_iter().filter(|finding| selection.matches(None, &finding.image)));
        findings.sort_by(|a, b| a.image.cmp(&b.image));
        Ok(findings)
    }

    /// Untracked files are looked for in mapped directories; a file that was named is looked for everywhere, and so is
    /// what nothing else matches, to tell what lies in the image alone from what lies nowhere.
    fn looked_for_everywhere(&self, findings: &[Finding]) -> Vec<&Pattern> {
        let everywhere =
            |pattern: &&Pattern| !pattern.is_glob() || !findings.iter().any(|finding| is_named(pattern, finding));
        self.options.selection.patterns().iter().filter(everywhere).collect()
    }

    /// Files that differ get a second look: what a checkout makes of the git blob agrees with it.
    fn normalize(&self, image: &Image, findings: &mut [Finding]) -> Result<Vec<Filtered>, Error> {
        let mut filtered = Vec::new();
        let mut normalizer = Normalizer::new(self.repository, &self.git.snapshot)?;
        let mut wanted: BTreeMap<usize, Vec<(usize, FileContent)>> = BTreeMap::new();
        for (position, finding) in findings.iter_mut().enumerate() {
            let (Status::Modified, Some((path, file)), Some(stored)) = (finding.status, &finding.repo, finding.file)
            else {
                continue;
            };
            let size = file.size.map_or_else(|| self.repository.blob_size(file.blob), |size| Ok(Some(size)))?;
            match normalizer.plausible(path, stored.content.size, size)? {
                Conversion::None => {}
                Conversion::Program(filter) => filtered.push(Filtered { path: path.clone(), filter }),
                Conversion::Lfs => self.compare_lfs(&normalizer, finding)?,
                Conversion::NeedsContents if stored.content.size > limits::NORMALIZE_BYTES => {}
                Conversion::NeedsContents => {
                    wanted.entry(stored.layer).or_default().push((position, stored.content));
                }
            }
        }
        for (layer, files) in wanted {
            self.normalize_layer(image, layer, &files, &mut normalizer, findings)?;
        }
        Ok(filtered)
    }

    fn compare_lfs(&self, normalizer: &Normalizer<'_>, finding: &mut Finding) -> Result<(), Error> {
        let (Some((path, _)), Some(stored)) = (&finding.repo, finding.file) else { return Ok(()) };
        let contents = self.repository.read(&self.git.snapshot, path, limits::REPO_TEXT_BYTES)?;
        let Some(pointer) = normalizer.lfs_pointer(&contents) else { return Ok(()) };
        if pointer.digest.hex() == stored.content.sha256_hex() && pointer.size == stored.content.size {
            finding.status = Status::SameNormalized;
            finding.note = Some("git has an LFS pointer to these bytes".to_owned());
        }
        Ok(())
    }

    fn normalize_layer(
        &self,
        image: &Image,
        layer: usize,
        files: &[(usize, FileContent)],
        normalizer: &mut Normalizer<'_>,
        findings: &mut [Finding],
    ) -> Result<(), Error> {
        let Some(layer) = image.layers.get(layer) else { return Ok(()) };
        let contents: Vec<FileContent> = files.iter().map(|(_, content)| *content).collect();
        let mut failure = None;
        layer::contents(self.source, &layer.descriptor, &contents, &mut |content, reader| {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            // One entry of the tar may be several files by way of hard links.
            for (position, _) in files.iter().filter(|(_, wanted)| wanted.position == content.position) {
                let finding = &mut findings[*position];
                let Some((path, _)) = &finding.repo else { continue };
                match normalizer.agrees(path, &bytes) {
                    Ok(Some(by)) => {
                        finding.status = Status::SameNormalized;
                        finding.note = Some(conversions(&by));
                    }
                    Ok(None) => {}
                    Err(error) => failure = Some(error),
                }
            }
            Ok(())
        })?;
        failure.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Whether a named file that is absent from a place where it need not be was found in another. A bare name means every
/// copy in the image, so that one of that name will do.
fn stands_for(finding: &Finding, absent: &Finding, by_name: bool) -> bool {
    let path = |finding: &Finding| finding.repo.as_ref().map(|(path, _)| path.clone());
    let same_name = by_name && finding.image.file_name() == absent.image.file_name();
    finding.status.is_comparison() && (same_name || path(finding) == path(absent))
}

fn conversions(by: &[ConversionKind]) -> String {
    let name = |kind: &ConversionKind| match kind {
        ConversionKind::LineEndings => "line endings",
        ConversionKind::Ident => "$Id$ keywords",
        ConversionKind::Encoding => "the working-tree encoding",
    };
    let names: Vec<&str> = by.iter().map(name).collect();
    format!("equal but for {}", names.join(" and "))
}
