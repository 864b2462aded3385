//! Times as tables write them (RFC 3339).

const DAY: i64 = 86_400;

/// Seconds since 1970, without fractions; `None` for what is no time.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let end = rest.find(|character: char| !matches!(character, '0'..='9' | ':' | '.'))?;
    let (clock, zone) = rest.split_at(end);
    let [hour, minute, second] = numbers(clock.split('.').next()?, ':')?;
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let offset = if zone == "Z" { 0 } else { offset(zone)? };
    fits.then(|| days(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset)
}

fn offset(zone: &str) -> Option<i64> {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let [hour, minute] = numbers(zone.strip_prefix(['+', '-'])?, ':')?;
    (hour < 24 && minute < 60).then_some(sign * (hour * 3600 + minute * 60))
}

fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u16>().ok())?;
    let numbers: Option<Vec<i64>> = text.split(separator).map(|text| number(text).map(i64::from)).collect();
    numbers?.try_into().ok()
}

/// Days since 1970 in the Gregorian calendar, counted in years that begin in March, so that leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_date() {
        // date -u -d '...' +%s
        let table = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2019-08-20T10:30:43Z", Some(1_566_297_043)),
            ("2024-02-29T23:59:59.987654321Z", Some(1_709_251_199)),
            ("2024-03-01T01:59:59+02:00", Some(1_709_251_199)),
            ("2000-03-01T00:00:00-00:30", Some(951_870_600)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("", None),
            ("2019-08-20", None),
            ("2019-13-20T10:30:43Z", None),
            ("2019-08-20T10:30:43", None),
            ("2019-08-20T10:30:43+2", None),
            ("2019-08-20T+1:30:43Z", None),
        ];
        for (text, expected) in table {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
