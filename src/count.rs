//! Numbers of things, in words.

/// `1 file`, `3 files`: a number of things whose name takes an `s`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `1 file is`, `3 files are`.
pub fn are(count: usize, noun: &str) -> String {
    format!("{} {}", counted(count, noun), is(count))
}

/// `1 of 1 file is`, `2 of 3 files are`.
pub fn of_are(count: usize, all: usize, noun: &str) -> String {
    format!("{count} of {} {}", counted(all, noun), is(count))
}

fn is(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_no_several() {
        let table = [(0, "0 files", "0 files are"), (1, "1 file", "1 file is"), (2, "2 files", "2 files are")];
        for (count, things, sentence) in table {
            assert_eq!((counted(count, "file").as_str(), are(count, "file").as_str()), (things, sentence));
        }
        assert_eq!(of_are(1, 1, "file"), "1 of 1 file is");
        assert_eq!(of_are(1, 2, "file"), "1 of 2 files is");
        assert_eq!(of_are(2, 2, "file"), "2 of 2 files are");
    }
}
