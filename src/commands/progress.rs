//! How far reading layers has got, on standard error: bars on a terminal, a line now and then in CI, and with
//! `--verbose` what became of each layer.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::count::{counted, human_size};
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::layer::{Event, Watch};

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Show {
    /// Nothing.
    #[default]
    Nothing,
    /// Bars.
    Bars,
    /// A line now and then.
    Lines,
}

/// How long nothing is said where lines are shown. Most runs are over before.
const PAUSE: Duration = Duration::from_secs(10);

const TEMPLATE: &str = "{prefix} [{bar:30}] {bytes:>11} of {total_bytes:>11} {binary_bytes_per_sec:>13}";

/// Digits of a digest that tell it from others.
const DIGITS: usize = 12;

/// How far reading layers has got.
#[derive(Clone)]
pub(super) struct Progress(Arc<Shared>);

struct Shared {
    show: Show,
    verbose: bool,
    bars: MultiProgress,
    state: Mutex<State>,
}

struct State {
    bars: BTreeMap<Digest, ProgressBar>,
    came: u64,
    read: usize,
    cached: usize,
    skipped: usize,
    tabled: usize,
    said: Instant,
}

impl Progress {
    /// Of a command that has read nothing yet.
    pub(super) fn new(show: Show, verbose: bool) -> Self {
        let said = Instant::now();
        let state = State { bars: BTreeMap::new(), came: 0, read: 0, cached: 0, skipped: 0, tabled: 0, said };
        Self(Arc::new(Shared { show, verbose, bars: MultiProgress::new(), state: Mutex::new(state) }))
    }

    /// What tells it of layers.
    pub(super) fn watch(&self) -> Watch {
        let progress = self.clone();
        Watch::new(move |layer, event| progress.happened(layer, event))
    }

    /// Writes a line to standard error, above the bars. Where that is closed, nobody wants it.
    pub(super) fn say(&self, line: &str) {
        self.0.bars.suspend(|| {
            let _ = writeln!(io::stderr(), "{line}");
        });
    }

    /// What became of the layers, all together; `None` when there were none.
    pub(super) fn summary(&self) -> Option<String> {
        let State { came, read, cached, skipped, tabled, .. } = *self.state();
        let all = read + cached + skipped + tabled;
        let size = human_size(came);
        let mut parts = format!("{read} read ({size}), {cached} in the cache, {skipped} not needed");
        if tabled > 0 {
            parts += &format!(", {tabled} taken by the table of contents");
        }
        (all > 0).then(|| format!("{}: {parts}", counted(all, "layer")))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn happened(&self, layer: &Descriptor, event: Event) {
        match event {
            Event::Came(bytes) => self.came(layer, bytes),
            Event::Read => {
                self.state().read += 1;
                self.done(layer, &format!("read, {}", human_size(layer.size)));
            }
            Event::Cached => {
                self.state().cached += 1;
                self.done(layer, "in the cache");
            }
            Event::Tabled => {
                self.state().tabled += 1;
                self.done(layer, "taken by its table of contents");
            }
            Event::Skipped => {
                self.state().skipped += 1;
                self.done(layer, "not needed");
            }
            Event::Failed => self.end(layer),
        }
    }

    fn came(&self, layer: &Descriptor, bytes: u64) {
        let mut state = self.state();
        state.came += bytes;
        match self.0.show {
            Show::Nothing => {}
            Show::Bars => {
                let bar = state.bars.entry(layer.digest.clone()).or_insert_with(|| self.0.bars.add(bar(layer)));
                bar.inc(bytes);
            }
            Show::Lines => {
                let line = state.line(Instant::now());
                drop(state);
                line.into_iter().for_each(|line| self.say(&line));
            }
        }
    }

    fn done(&self, layer: &Descriptor, what: &str) {
        self.end(layer);
        if self.0.verbose {
            self.say(&format!("note: layer {}: {what}", layer.digest));
        }
    }

    fn end(&self, layer: &Descriptor) {
        if let Some(bar) = self.state().bars.remove(&layer.digest) {
            bar.finish_and_clear();
            self.0.bars.remove(&bar);
        }
    }
}

impl State {
    /// What is said at the moment `now`, if nothing was for a while.
    fn line(&mut self, now: Instant) -> Option<String> {
        let is_time = now.duration_since(self.said) >= PAUSE;
        is_time.then(|| {
            self.said = now;
            format!("note: reading layers, {} so far", human_size(self.came))
        })
    }
}

fn bar(layer: &Descriptor) -> ProgressBar {
    let style = ProgressStyle::with_template(TEMPLATE).expect("the template is one");
    let prefix: String = layer.digest.hex().chars().take(DIGITS).collect();
    ProgressBar::new(layer.size).with_style(style.progress_chars("=> ")).with_prefix(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_now_and_then() {
        let start = Instant::now();
        let mut state =
            State { bars: BTreeMap::new(), came: 3 << 20, read: 0, cached: 0, skipped: 0, tabled: 0, said: start };
        let told: Vec<_> = (1..=25).filter_map(|second| state.line(start + Duration::from_secs(second))).collect();
        assert_eq!(told, ["note: reading layers, 3.0 MiB so far"; 2]);
    }
}
