//! Merges with more than two parents, and merges that cross.

use crate::rows::{NONE, hold, row};
use crate::story::{Story, file};
use crate::support::git::Repo;

/// Commits a version of a file on a new branch that starts at `from`.
fn branch(repo: &mut Repo, name: &str, from: &str, change: &str) -> String {
    repo.git(&["checkout", "-q", "-b", name, from]);
    repo.write(change);
    repo.commit(name)
}

/// Merges `others` into the branch that is checked out; where two sides changed the same, its own has the last word.
fn merge(repo: &mut Repo, subject: &str, others: &[&str]) -> String {
    let ours: &[&str] = if others.len() == 1 { &["-X", "ours"] } else { &[] };
    repo.git(&[&["merge", "-q", "--no-ff", "--no-commit"], ours, others].concat());
    repo.commit(subject)
}

#[test]
fn an_octopus_is_a_commit_with_a_tree_of_its_own() {
    let mut story = Story::new();
    let repo = &mut story.scene.repo;
    let one = branch(repo, "One", "main", &file("shared/a.py", 4));
    branch(repo, "Two", "main", &file("shared/util.py", 4));
    let three = branch(repo, "Three", "main", &file("main.py", 4));
    repo.git(&["checkout", "-q", "main"]);
    let octopus = merge(repo, "Octopus", &["One", "Two", "Three"]);
    assert_eq!(repo.git(&["rev-list", "--parents", "-n1", "HEAD"]).split(' ').count(), 5);
    let base = story.ids[5].clone();
    let at = |shared: &str, main: &str| story.image(shared, main);
    hold(
        &story,
        vec![
            row(
                "the octopus",
                at(&octopus, &octopus),
                ("", NONE),
                &[],
                &["exact Octopus Octopus", "1: exact Octopus Octopus", "2: exact Octopus Three"],
            ),
            row(
                "its base",
                at(&base, &base),
                ("old-image", NONE),
                &["main.py stale Two 3", "shared/a.py stale Three 3", "shared/util.py stale Three 3"],
                &["exact 5 5", "1: exact Three 5", "2: exact Two 4"],
            ),
            row(
                "one of its arms",
                at(&one, &one),
                ("old-image", NONE),
                &["main.py stale Two 3", "shared/util.py stale Three 3"],
                &["exact One One", "1: exact One One", "2: exact Two 4"],
            ),
            row(
                "two of its arms",
                at(&one, &three),
                ("cached-layer", NONE),
                &["shared/util.py stale Three 3"],
                &["partial Octopus Octopus", "1: exact One One", "2: exact Octopus Three"],
            ),
            // The arm that left `shared` as it was is such an image, too.
            row(
                "a layer of the base",
                at(&base, &octopus),
                ("old-image", NONE),
                &["shared/a.py stale Three 3", "shared/util.py stale Three 3"],
                &["exact Three Three", "1: exact Three 5", "2: exact Octopus Three"],
            ),
        ],
    );
}

/// Two branches that merge each other, and the merge of both: a commit before they crossed, each of the merges, the end.
struct Crossed {
    left: String,
    left_merge: String,
    right_merge: String,
    both: String,
}

fn cross(repo: &mut Repo) -> Crossed {
    let left = branch(repo, "Left", "main", &(file("shared/a.py", 4) + &file("shared/c.py", 4)));
    branch(repo, "Right", "main", &(file("main.py", 4) + &file("shared/c.py", 5)));
    let right_merge = merge(repo, "Left into right", &["Left"]);
    repo.git(&["checkout", "-q", "-B", "Left", &left]);
    let left_merge = merge(repo, "Right into left", &["Right~1"]);
    repo.write(&file("shared/util.py", 4));
    repo.commit("Left again");
    let both = merge(repo, "Both", &["Right"]);
    assert_eq!(repo.git(&["merge-base", "--all", "Right", "HEAD~1"]).lines().count(), 2);
    repo.git(&["checkout", "-q", "-B", "main", &both]);
    Crossed { left, left_merge, right_merge, both }
}

#[test]
fn merges_may_cross() {
    let mut story = Story::new();
    let Crossed { left, left_merge, right_merge, both } = cross(&mut story.scene.repo);
    let at = |shared: &str, main: &str| story.image(shared, main);
    hold(
        &story,
        vec![
            row(
                "the last merge",
                at(&both, &both),
                ("", NONE),
                &[],
                &["exact Both Left again", "1: exact Both Left again", "2: exact Both Right"],
            ),
            row(
                "the merge to the left",
                at(&left_merge, &left_merge),
                ("old-image", NONE),
                &["shared/util.py stale Right into left 3"],
                &["exact Right into left Right into left", "1: exact Right into left Left", "2: exact Both Right"],
            ),
            row(
                "the merge to the right",
                at(&right_merge, &right_merge),
                ("old-image", NONE),
                &["shared/c.py stale Left into right 3", "shared/util.py stale Right into left 3"],
                &[
                    "exact Left into right Left into right",
                    "1: exact Left into right Left into right",
                    "2: exact Both Right",
                ],
            ),
            row(
                "before they crossed",
                at(&left, &left),
                ("old-image", NONE),
                &["main.py stale Left 5", "shared/util.py stale Right into left 3"],
                &["exact Left Left", "1: exact Right into left Left", "2: exact Left 4"],
            ),
            row(
                "a layer of each",
                at(&right_merge, &left),
                ("cached-layer", NONE),
                &[
                    "main.py stale Left 5",
                    "shared/c.py stale Left into right 3",
                    "shared/util.py stale Right into left 3",
                ],
                &[
                    "partial Left into right Left into right",
                    "1: exact Left into right Left into right",
                    "2: exact Left 4",
                ],
            ),
        ],
    );
}
