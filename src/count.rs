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

/// Bytes in the unit that leaves at most four digits.
pub fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        (size, unit) = (size / 1024.0, unit + 1);
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{size:.1} {}", UNITS[unit]) }
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

    #[test]
    fn sizes_have_units() {
        for (bytes, expected) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_572_864, "1.5 MiB"), (u64::MAX, "16777216.0 TiB")]
        {
            assert_eq!(human_size(bytes), expected);
        }
    }
}
