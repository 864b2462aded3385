//! Runs through the stages of a Dockerfile, as far as variables, working directories and copies go.

use std::collections::BTreeMap;

use super::copy::WrittenCopy;
use super::error::DockerfileError;
use super::expand::{Environment, Unknown, expand};
use super::instruction::{Command, Instruction, Numbered};
use super::{Dockerfile, Stage};
use crate::limits;
use crate::mapping::step::{CopyStep, Destination, Origin};
use crate::path::ImagePath;

/// What a build adds to the Dockerfile.
#[derive(Clone, Debug)]
pub struct BuildArguments<'a> {
    /// `--build-arg` values. `TARGETARCH` and its kin have no value unless they stand here.
    pub args: &'a BTreeMap<String, String>,
    /// `--target`: a stage by name or number; the last one otherwise.
    pub target: Option<&'a str>,
    /// The environment of the image that the wanted stage is built from.
    pub inherited_env: &'a BTreeMap<String, String>,
    /// That image's working directory.
    pub inherited_workdir: ImagePath,
}

/// One stage, with the stages that it is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedStage {
    /// Every `COPY` and `ADD` that could be resolved, in order.
    pub steps: Vec<CopyStep>,
    /// The working directory at the end; `None` if it is not known.
    pub workdir: Option<ImagePath>,
    /// The last `CMD`; `None` leaves it to the base image.
    pub command: Option<Command>,
    /// The last `ENTRYPOINT`; `None` leaves it to the base image.
    pub entrypoint: Option<Command>,
    /// What could not be resolved, in order.
    pub unresolved: Vec<UnresolvedStep>,
    /// The names of the stages that copy, and of those that they copy from; empty where one of them has none.
    pub stages: Vec<String>,
}

/// An instruction whose effect is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnresolvedStep {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// As written, on one line.
    pub text: String,
    /// Why.
    pub reason: Unknown,
}

impl Dockerfile {
    /// Resolves the wanted stage.
    pub fn resolve(&self, build: &BuildArguments<'_>) -> Result<ResolvedStage, DockerfileError> {
        let mut run = Run::new(self.escape, build);
        run.declare_global(&self.global);
        let mut chain = vec![self.target(build.target)?];
        while let Some(base) = self.base(chain[chain.len() - 1], &mut run) {
            chain.push(base);
        }
        let mut names = Some(Vec::new());
        for index in chain.into_iter().rev() {
            let before = run.resolved.steps.len();
            run.stage(&self.stages[index]);
            names = names.and_then(|names| self.with_copying(names, index, &run.resolved.steps[before..]));
        }
        run.resolved.stages = names.unwrap_or_default();
        Ok(run.resolved)
    }

    /// `names` with those of stage `index` and of what its `steps` copy from; `None` where one of them has none.
    fn with_copying(&self, mut names: Vec<String>, index: usize, steps: &[CopyStep]) -> Option<Vec<String>> {
        let other = |step: &CopyStep| match &step.origin {
            Origin::Stage(from) => {
                self.stage_named(from, index).or_else(|| from.parse().ok().filter(|&other| other < index))
            }
            _ => None,
        };
        let own = (!steps.is_empty()).then_some(index);
        for stage in own.into_iter().chain(steps.iter().filter_map(other)) {
            let name = self.stages[stage].name.as_ref().filter(|name| is_stage_name(name))?;
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        Some(names)
    }

    fn target(&self, wanted: Option<&str>) -> Result<usize, DockerfileError> {
        let Some(wanted) = wanted else {
            return Ok(self.stages.len() - 1);
        };
        let by_name = self.stage_named(wanted, self.stages.len());
        let by_number = || wanted.parse().ok().filter(|&index| index < self.stages.len());
        by_name.or_else(by_number).ok_or_else(|| DockerfileError::UnknownTarget(wanted.to_owned()))
    }

    /// The last stage before `end` that is called `name`.
    fn stage_named(&self, name: &str, end: usize) -> Option<usize> {
        let name = name.to_lowercase();
        self.stages[..end].iter().rposition(|stage| stage.name.as_ref() == Some(&name))
    }

    /// The stage that stage `index` is built from; `None` for an image. If variables leave that open, it is noted.
    fn base(&self, index: usize, run: &mut Run<'_>) -> Option<usize> {
        let stage = &self.stages[index];
        match expand(&stage.image, self.escape, &run.global) {
            Ok(image) => self.stage_named(&image, index),
            Err(reason) => {
                let could_be_a_stage = self.stages[..index].iter().any(|earlier| earlier.name.is_some());
                if could_be_a_stage {
                    run.give_up(stage.line, &stage.text, reason);
                }
                None
            }
        }
    }
}

/// Whether BuildKit takes it for the name of a stage (`parseBuildStageName` of its Dockerfile frontend).
fn is_stage_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(is_inner)
}

struct Run<'a> {
    escape: char,
    build: &'a BuildArguments<'a>,
    global: Environment,
    environment: Environment,
    /// Whether the stage at hand has a `CMD` of its own, which its `ENTRYPOINT` then leaves alone.
    has_command: bool,
    /// How many sources the steps so far name.
    sources: usize,
    resolved: ResolvedStage,
}

impl<'a> Run<'a> {
    fn new(escape: char, build: &'a BuildArguments<'a>) -> Self {
        let inherited = build.inherited_env.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        let resolved = ResolvedStage {
            steps: Vec::new(),
            workdir: Some(build.inherited_workdir.clone()),
            command: None,
            entrypoint: None,
            unresolved: Vec::new(),
            stages: Vec::new(),
        };
        let (global, environment) = (Environment::new([]), Environment::new(inherited));
        Self { escape, build, global, environment, has_command: false, sources: 0, resolved }
    }

    /// The `ARG`s before the first `FROM`, which see each other and the build's arguments.
    fn declare_global(&mut self, instructions: &[Numbered]) {
        for numbered in instructions {
            let Instruction::Arg(declarations) = &numbered.instruction else { continue };
            for (name, default) in declarations {
                let value = self.argument(name, default.as_deref(), &self.global);
                self.global.extend(value.map(|value| (name.clone(), value)));
            }
        }
    }

    /// The value of an `ARG`: the build's, or else its default. `None` leaves the name as it was.
    fn argument(&self, name: &str, default: Option<&str>, known: &Environment) -> Option<Option<String>> {
        let given = self.build.args.get(name).cloned().map(Some);
        given.or_else(|| Some(expand(default?, self.escape, known).ok()))
    }

    fn stage(&mut self, stage: &Stage) {
        self.has_command = false;
        for numbered in &stage.instructions {
            self.instruction(numbered);
        }
    }

    fn instruction(&mut self, numbered: &Numbered) {
        match &numbered.instruction {
            Instruction::From { .. } => {}
            Instruction::Arg(declarations) => self.declare(declarations),
            Instruction::Env(assignments) => self.assign(assignments),
            Instruction::Workdir(path) => self.change_directory(numbered, path),
            Instruction::Copy { kind, flags, words } => {
                let written = WrittenCopy::expand(*kind, flags, words, self.escape, &self.environment);
                let workdir = self.resolved.workdir.as_ref();
                let step = written.and_then(|copy| copy.at(workdir, numbered.line, &numbered.text));
                match step.and_then(|step| self.push(step)) {
                    Ok(()) => {}
                    Err(reason) => self.give_up(numbered.line, &numbered.text, reason),
                }
            }
            Instruction::Cmd(command) => {
                self.has_command = true;
                self.resolved.command = Some(command.clone());
            }
            Instruction::Entrypoint(entrypoint) => {
                self.resolved.entrypoint = Some(entrypoint.clone());
                if !self.has_command {
                    self.resolved.command = None;
                }
            }
        }
    }

    fn push(&mut self, step: CopyStep) -> Result<(), Unknown> {
        self.sources += step.sources.len().max(1);
        if self.sources > limits::BUILD_SOURCES {
            return Err(Unknown::TooMany("sources of copies"));
        }
        self.resolved.steps.push(step);
        Ok(())
    }

    fn declare(&mut self, declarations: &[(String, Option<String>)]) {
        for (name, default) in declarations {
            let value = self.argument(name, default.as_deref(), &self.environment);
            let value = value.or_else(|| self.global.get(name).cloned());
            self.environment.extend(value.map(|value| (name.clone(), value)));
        }
    }

    /// All values of one `ENV` see the variables as they were before it.
    fn assign(&mut self, assignments: &[(String, String)]) {
        let value = |value: &str| expand(value, self.escape, &self.environment).ok();
        let values: Vec<_> = assignments.iter().map(|(name, text)| (name.clone(), value(text))).collect();
        self.environment.extend(values);
    }

    fn change_directory(&mut self, numbered: &Numbered, path: &str) {
        match expand(path, self.escape, &self.environment) {
            Ok(path) => {
                let place = Destination::read(path.as_bytes(), self.resolved.workdir.as_ref());
                self.resolved.workdir = place.map(|place| place.path);
            }
            Err(reason) => {
                self.resolved.workdir = None;
                self.give_up(numbered.line, &numbered.text, reason);
            }
        }
    }

    fn give_up(&mut self, line: usize, text: &str, reason: Unknown) {
        self.resolved.unresolved.push(UnresolvedStep { line, text: text.to_owned(), reason });
    }
}
