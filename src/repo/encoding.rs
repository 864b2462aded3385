//! The `working-tree-encoding` attribute: files that are UTF-8 in git and something else in a checkout.

use gix::filter::plumbing::encoding::{Encoding, UTF_16BE, UTF_16LE};
use gix::filter::plumbing::worktree::encode_to_git;

const BOM_LE: &[u8] = b"\xff\xfe";
const BOM_BE: &[u8] = b"\xfe\xff";

/// `contents` in UTF-8, as git would store them; `None` when they are not in the encoding named `label`, or when the
/// encoding is UTF-8 already or unknown here (UTF-32 is).
pub(super) fn to_utf8(contents: &[u8], label: &[u8]) -> Option<Vec<u8>> {
    let encoding = match canonical(label).as_slice() {
        b"UTF8" => return None,
        // The decoder's tables follow browsers, which take these names for windows-1252.
        b"ISO88591" | b"LATIN1" => {
            return Some(contents.iter().map(|&byte| char::from(byte)).collect::<String>().into());
        }
        name if name.starts_with(b"UTF16") => utf16(contents, name)?,
        _ => Encoding::for_label(label)?,
    };
    let mut utf8 = Vec::new();
    encode_to_git(contents, encoding, &mut utf8, encode_to_git::RoundTripCheck::Skip).ok()?;
    Some(utf8)
}

/// The byte order mark is required, or forbidden, as git demands (`validate_encoding` in convert.c).
fn utf16(contents: &[u8], name: &[u8]) -> Option<&'static Encoding> {
    let (little, big) = (contents.starts_with(BOM_LE), contents.starts_with(BOM_BE));
    match name {
        b"UTF16" if little => Some(UTF_16LE),
        b"UTF16" | b"UTF16LEBOM" if big => Some(UTF_16BE),
        b"UTF16LEBOM" => Some(UTF_16LE),
        b"UTF16LE" if !little && !big => Some(UTF_16LE),
        b"UTF16BE" if !little && !big => Some(UTF_16BE),
        _ => None,
    }
}

fn canonical(label: &[u8]) -> Vec<u8> {
    label.iter().filter(|byte| !matches!(byte, b'-' | b'_')).map(u8::to_ascii_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks_are_demanded_and_forbidden_as_git_does() {
        let (little, big): (&[u8], &[u8]) = (b"a\0\n\0", b"\0a\0\n");
        let (marked_little, marked_big) = ([BOM_LE, little].concat(), [BOM_BE, big].concat());
        let cases: [(&[u8], &[u8], bool); 13] = [
            (b"UTF-16", &marked_little, true),
            (b"utf16", &marked_big, true),
            (b"UTF-16", little, false),
            (b"UTF-16LE", little, true),
            (b"UTF-16LE", &marked_little, false),
            (b"UTF-16BE", big, true),
            (b"UTF-16BE", &marked_big, false),
            (b"UTF-16LE-BOM", &marked_little, true),
            (b"UTF-16LE-BOM", little, true),
            (b"UTF-16LE", b"odd", false),
            (b"ISO-8859-1", b"a\n", true),
            (b"UTF-8", b"a\n", false),
            (b"no-such-encoding", b"a\n", false),
        ];
        for (label, contents, known) in cases {
            let expected = known.then(|| b"a\n".to_vec());
            assert_eq!(to_utf8(contents, label), expected, "{}", String::from_utf8_lossy(label));
        }
    }
}
