//! Times of builders and of commits, as far as their texts can be compared.

/// A time of RFC 3339 in UTC up to its seconds, a text that has the order of time; `None` for times in other zones or
/// without seconds.
pub(super) fn utc_seconds(time: &str) -> Option<&str> {
    time.get(.."2026-01-31T14:02:11".len()).filter(|_| time.ends_with('Z'))
}

/// Whether one time is before another; times that are not understood are not.
pub(super) fn is_earlier(one: &str, other: &str) -> bool {
    utc_seconds(one).zip(utc_seconds(other)).is_some_and(|(one, other)| one < other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_times_in_utc_are_compared() {
        let table = [
            ("2026-01-31T14:02:11Z", true),
            ("2026-01-31T14:02:11.5Z", true),
            ("2026-02-01T14:02:11Z", false),
            ("2026-01-31T14:02:11+02:00", false),
            ("2026-01-31T14:02Z", false),
            ("", false),
        ];
        for (time, earlier) in table {
            assert_eq!(is_earlier(time, "2026-01-31T15:00:00Z"), earlier, "{time}");
        }
    }
}
