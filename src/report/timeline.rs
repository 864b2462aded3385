//! Where layers stand in history, as a picture: one row a layer, the revision at the right edge, earlier commits to
//! the left of it.

use crate::identify::{Identity, Relation};

/// Columns of the picture.
pub(super) const WIDTH: usize = 20;

/// Commits shown at the least where layers reach that far back; fewer would make every layer look far apart.
const FEWEST_COMMITS: usize = 20;

/// A scale of commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timeline {
    /// How many commits before the revision the left edge is.
    commits: usize,
}

impl Timeline {
    /// A scale on which all of `identities` find a place: twice as far back as the one that is furthest behind.
    pub(super) fn of<'i>(identities: impl Iterator<Item = &'i Identity>) -> Self {
        let ranges: Vec<(usize, usize)> = identities.filter_map(places).collect();
        let furthest = ranges.iter().map(|(newest, _)| newest * 2).max().unwrap_or_default();
        let oldest = ranges.iter().map(|(_, oldest)| *oldest).max().unwrap_or_default();
        Self { commits: furthest.max(oldest.min(FEWEST_COMMITS)).max(1) }
    }

    /// What the edges are.
    pub(super) fn head(self, revision: &str) -> String {
        let left = format!("-{}", self.commits);
        let gap = WIDTH.saturating_sub(left.len() + revision.len());
        format!("{left}{:gap$}{revision}", "")
    }

    /// The row of a layer: `[===]` from its oldest to its newest commit, `o` for a single place, `<` where it goes on
    /// beyond the edge. Empty for commits that are not part of the revision's history.
    pub(super) fn row(self, identity: &Identity) -> String {
        let Some((newest, oldest)) = places(identity) else { return String::new() };
        let (right, left) = (self.column(newest), self.column(oldest.min(self.commits)));
        let mut row = " ".repeat(left);
        let start = if oldest > self.commits { '<' } else { '[' };
        match right - left {
            0 if start == '[' => row.push('o'),
            0 => row.push(start),
            inner => {
                row.push(start);
                row.push_str(&"=".repeat(inner - 1));
                row.push(']');
            }
        }
        row
    }

    fn column(self, behind: usize) -> usize {
        let last = WIDTH - 1;
        // Rounded to the nearest, so that only what is at the revision comes near the edge.
        last - (behind * last * 2 + self.commits) / (self.commits * 2)
    }
}

/// How many commits the newest and the oldest commit of a layer are behind.
fn places(identity: &Identity) -> Option<(usize, usize)> {
    let range = identity.commits.as_ref()?;
    Some((behind(range.newest.relation)?, behind(range.oldest.relation)?))
}

fn behind(relation: Relation) -> Option<usize> {
    match relation {
        Relation::Asked => Some(0),
        Relation::Behind(count) => Some(count),
        Relation::Ahead(_) | Relation::Apart => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identify::{Placed, Range};
    use crate::repo::Commit;

    fn identity(newest: usize, oldest: usize) -> Identity {
        let placed = |behind: usize| Placed {
            commit: Commit { id: String::new(), short: String::new(), subject: String::new(), time: String::new() },
            name: String::new(),
            relation: if behind == 0 { Relation::Asked } else { Relation::Behind(behind) },
        };
        let commits = Some(Range { newest: placed(newest), oldest: placed(oldest) });
        Identity { compared: 1, matched: 1, commits, rivals: 0, unmatched: Vec::new() }
    }

    #[test]
    fn layers_stand_where_their_commits_are() {
        let all = [identity(0, 30), identity(5, 10), identity(0, 0), identity(10, 10)];
        let timeline = Timeline::of(all.iter());
        assert_eq!(timeline, Timeline { commits: 20 });
        assert_eq!(timeline.head("269d492"), "-20          269d492");
        let rows: Vec<String> = all.iter().map(|identity| timeline.row(identity)).collect();
        assert_eq!(rows, ["<==================]", "         [====]", "                   o", "         o"]);
    }

    #[test]
    fn a_history_of_one_commit_has_one_place() {
        let timeline = Timeline::of([identity(0, 0)].iter());
        assert_eq!(timeline.row(&identity(0, 0)).len(), WIDTH);
        assert_eq!(Timeline::of(std::iter::empty()).commits, 1);
    }
}
