//! How many wanted files agree in a tree, for each group, and which.

use std::collections::HashMap;
use std::sync::Arc;

/// The agreeing files of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Count {
    pub(super) group: u32,
    pub(super) files: u32,
    /// The sum of a number for each file that looks random: equal sets have equal sums, and that two different sets of
    /// the same size have one is as improbable as two equal 64-bit hashes.
    pub(super) set: u64,
}

/// The counts of a directory, without groups in which nothing agrees, by group.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(Vec<Count>);

impl Tally {
    pub(super) fn add_file(&mut self, wanted: usize, group: u32) {
        self.add(Count { group, files: 1, set: scatter(wanted) });
    }

    pub(super) fn remove_file(&mut self, wanted: usize, group: u32) {
        self.remove(Count { group, files: 1, set: scatter(wanted) });
    }

    pub(super) fn add(&mut self, count: Count) {
        match self.0.binary_search_by_key(&count.group, |own| own.group) {
            Ok(at) => {
                self.0[at].files += count.files;
                self.0[at].set = self.0[at].set.wrapping_add(count.set);
            }
            Err(at) => self.0.insert(at, count),
        }
    }

    pub(super) fn remove(&mut self, count: Count) {
        if let Ok(at) = self.0.binary_search_by_key(&count.group, |own| own.group) {
            self.0[at].files -= count.files;
            self.0[at].set = self.0[at].set.wrapping_sub(count.set);
            if self.0[at].files == 0 {
                self.0.remove(at);
            }
        }
    }
}

/// Spreads a number over 64 bits (the output function of splitmix64).
fn scatter(number: usize) -> u64 {
    let mut bits = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Every tally that occurred, once; state 0 is the empty one.
pub(super) struct States {
    list: Vec<Arc<[Count]>>,
    numbers: HashMap<Arc<[Count]>, u32>,
}

impl States {
    pub(super) fn new() -> Self {
        let empty: Arc<[Count]> = Arc::new([]);
        Self { list: vec![Arc::clone(&empty)], numbers: HashMap::from([(empty, 0)]) }
    }

    pub(super) fn number(&mut self, tally: &Tally) -> u32 {
        if let Some(&number) = self.numbers.get(tally.0.as_slice()) {
            return number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let counts: Arc<[Count]> = tally.0.as_slice().into();
        self.list.push(Arc::clone(&counts));
        self.numbers.insert(counts, number);
        number
    }

    pub(super) fn counts(&self, state: u32) -> &[Count] {
        &self.list[state as usize]
    }
}
