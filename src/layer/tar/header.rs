//! One header block: v7, ustar, star and GNU, told apart and read as Go's archive/tar does (`readHeader`).
//!
//! Go is the measure because containerd, Docker, Podman and umoci unpack with it.

use std::ops::Range;

use super::TarError;

/// Bytes of a block, of which a tar is made.
pub(super) const BLOCK_BYTES: usize = 512;

/// A block.
pub(super) type Block = [u8; BLOCK_BYTES];

const NAME: Range<usize> = 0..100;
const MODE: Range<usize> = 100..108;
const UID: Range<usize> = 108..116;
const GID: Range<usize> = 116..124;
const SIZE: Range<usize> = 124..136;
const MTIME: Range<usize> = 136..148;
const CHECKSUM: Range<usize> = 148..156;
const TYPE: usize = 156;
const LINK: Range<usize> = 157..257;
const MAGIC: Range<usize> = 257..263;
const VERSION: Range<usize> = 263..265;
const DEVICE_MAJOR: Range<usize> = 329..337;
const DEVICE_MINOR: Range<usize> = 337..345;
const USTAR_PREFIX: Range<usize> = 345..500;
const STAR_PREFIX: Range<usize> = 345..476;
const STAR_ATIME: Range<usize> = 476..488;
const STAR_CTIME: Range<usize> = 488..500;
const STAR_TRAILER: Range<usize> = 508..512;
const GNU_ATIME: Range<usize> = 345..357;
const GNU_CTIME: Range<usize> = 357..369;

/// What a header says of its own, before extended headers change it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The type, as it stands there.
    pub(super) typeflag: u8,
    /// The path, prefix included.
    pub(super) name: Vec<u8>,
    /// The target of a link.
    pub(super) link: Vec<u8>,
    /// Bytes of the contents in the archive.
    pub(super) size: i64,
    /// Permissions, and whatever a builder wrote above them.
    pub(super) mode: i64,
    /// When the contents were changed, in seconds since 1970.
    pub(super) mtime: i64,
    /// Which dialect.
    pub(super) format: Format,
}

/// The dialects of headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Before POSIX: no prefix.
    V7,
    /// POSIX, with or without PAX headers.
    Ustar,
    /// Schilling's tar: a shorter prefix.
    Star,
    /// GNU: times where others have the prefix.
    Gnu,
}

/// Reads a header block.
pub(super) fn parse(block: &Block) -> Result<Header, TarError> {
    let format = format(block)?;
    let read = |what, field: Range<usize>| number(&block[field]).ok_or(TarError::Number(what));
    let (size, mode) = (read("size", SIZE)?, read("mode", MODE)?);
    read("user", UID)?;
    read("group", GID)?;
    let mtime = read("time", MTIME)?;
    if format != Format::V7 {
        read("device", DEVICE_MAJOR)?;
        read("device", DEVICE_MINOR)?;
    }
    if format == Format::Star {
        read("access time", STAR_ATIME)?;
        read("change time", STAR_CTIME)?;
    }
    let prefix = prefix(block, format);
    let mut name = Vec::with_capacity(prefix.len() + 1 + NAME.len());
    if !prefix.is_empty() {
        name.extend_from_slice(prefix);
        name.push(b'/');
    }
    name.extend_from_slice(text(&block[NAME]));
    Ok(Header { typeflag: block[TYPE], name, link: text(&block[LINK]).to_vec(), size, mode, mtime, format })
}

fn format(block: &Block) -> Result<Format, TarError> {
    if !checksum_holds(block) {
        return Err(TarError::Checksum);
    }
    Ok(match (&block[MAGIC], &block[VERSION], &block[STAR_TRAILER]) {
        (b"ustar\0", _, b"tar\0") => Format::Star,
        (b"ustar\0", ..) => Format::Ustar,
        (b"ustar ", b" \0", _) => Format::Gnu,
        _ => Format::V7,
    })
}

/// The sum of the bytes, unsigned as POSIX has it or signed as Sun's tar wrote it, its own field taken as spaces.
fn checksum_holds(block: &Block) -> bool {
    let Some(written) = octal(&block[CHECKSUM]) else { return false };
    let others = || block[..CHECKSUM.start].iter().chain(&block[CHECKSUM.end..]);
    let spaces = i64::from(b' ') * CHECKSUM.len() as i64;
    let unsigned: u32 = others().map(|&byte| u32::from(byte)).sum();
    if written == i64::from(unsigned) + spaces {
        return true;
    }
    let signed: i32 = others().map(|&byte| i32::from(byte.cast_signed())).sum();
    written == i64::from(signed) + spaces
}

fn prefix(block: &Block, format: Format) -> &[u8] {
    match format {
        Format::V7 => b"",
        Format::Ustar => text(&block[USTAR_PREFIX]),
        Format::Star => text(&block[STAR_PREFIX]),
        // Go before 1.8 wrote a prefix into GNU headers, over the times (golang/go#12594, #21005).
        Format::Gnu => {
            let is_time = |field: Range<usize>| block[field.start] == 0 || number(&block[field]).is_some();
            let prefix = text(&block[USTAR_PREFIX]);
            if is_time(GNU_ATIME) && is_time(GNU_CTIME) || !prefix.is_ascii() { b"" } else { prefix }
        }
    }
}

/// The bytes before the first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    &field[..end]
}

/// A number in octal digits or, where the first bit is set, in two's complement (GNU's and star's base-256).
pub(super) fn number(field: &[u8]) -> Option<i64> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => base_256(field),
        _ => octal(field),
    }
}

/// Digits between spaces and NULs, and an empty field is 0; what follows a NUL within is not looked at.
fn octal(field: &[u8]) -> Option<i64> {
    let is_digit = |byte: &u8| !matches!(byte, b' ' | 0);
    let Some(start) = field.iter().position(is_digit) else { return Some(0) };
    let end = field.iter().rposition(is_digit)? + 1;
    text(&field[start..end]).iter().try_fold(0_i64, |value, byte| match byte {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(i64::from(byte - b'0')),
        _ => None,
    })
}

/// The first bit is a mark and the second one the sign; a negative number is its complement's complement.
fn base_256(field: &[u8]) -> Option<i64> {
    let inverse = if field[0] & 0x40 == 0 { 0 } else { 0xff };
    let mut value = 0_u64;
    for (position, byte) in field.iter().enumerate() {
        let byte = if position == 0 { (byte ^ inverse) & 0x7f } else { byte ^ inverse };
        if value >> 56 > 0 {
            return None;
        }
        value = value << 8 | u64::from(byte);
    }
    let value = i64::try_from(value).ok()?;
    Some(if inverse == 0 { value } else { !value })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with its checksum, after `change` was made.
    fn block(change: impl Fn(&mut Block)) -> Block {
        let mut header = ::tar::Header::new_gnu();
        header.set_path("dir/name").unwrap();
        header.set_mode(0o644);
        header.set_size(10);
        let mut block = *header.as_bytes();
        change(&mut block);
        let mut summed = ::tar::Header::from_byte_slice(&block).clone();
        summed.set_cksum();
        *summed.as_bytes()
    }

    fn put(field: Range<usize>, bytes: &[u8]) -> impl Fn(&mut Block) + use<'_> {
        move |block| block[field.start..field.start + bytes.len()].copy_from_slice(bytes)
    }

    #[test]
    fn numbers_are_octal_or_base_256() {
        // golang/go src/archive/tar/strconv_test.go has most of these.
        let table: &[(&[u8], Option<i64>)] = &[
            (b"", Some(0)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"        ", Some(0)),
            (b"0000644\0", Some(0o644)),
            (b"  644 \0 ", Some(0o644)),
            (b"\0\x00644\0\0", Some(0o644)),
            (b"0000\x0012x", Some(0)),
            (b"12 34\0", None),
            (b"0000689\0", None),
            (b"-0000012", None),
            (b"+0000012", None),
            (b"0x10\0", None),
            (b"777777777777", Some(0o777_777_777_777)),
            (b"\x80", Some(0)),
            (b"\x80\x00", Some(0)),
            (b"\x80\x00\x00", Some(0)),
            (b"\xbf", Some((1 << 6) - 1)),
            (b"\xbf\xff\xff", Some((1 << 22) - 1)),
            (b"\xff", Some(-1)),
            (b"\xff\xff\xff", Some(-1)),
            (b"\xc0", Some(-(1 << 6))),
            (b"\xc0\x00\x00", Some(-(1 << 22))),
            (b"\x87\x76\xa2\x22\xeb\x8a\x72\x61", Some(537_795_476_381_659_745)),
            (b"\x80\x00\x00\x00\x07\x76\xa2\x22\xeb\x8a\x72\x61", Some(537_795_476_381_659_745)),
            (b"\xf7\x76\xa2\x22\xeb\x8a\x72\x61", Some(-615_126_028_225_187_231)),
            (b"\xff\xff\xff\xff\xf7\x76\xa2\x22\xeb\x8a\x72\x61", Some(-615_126_028_225_187_231)),
            (b"\x80\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX)),
            (b"\x80\x80\x00\x00\x00\x00\x00\x00\x00", None),
            (b"\xff\x80\x00\x00\x00\x00\x00\x00\x00", Some(i64::MIN)),
            (b"\xff\x7f\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\xf5\xec\xd1\xc7\x7e\x5f\x26\x48\x81\x9f\x8f\x9b", None),
        ];
        for (field, expected) in table {
            assert_eq!(number(field), *expected, "{}", field.escape_ascii());
        }
    }

    #[test]
    fn dialects_differ_in_the_prefix() {
        let prefix = put(USTAR_PREFIX, b"some/prefix");
        let with = |magic: &[u8], more: &[u8]| {
            block(|block| {
                prefix(block);
                put(MAGIC, magic)(block);
                put(STAR_TRAILER, more)(block);
                if more == b"tar\0" {
                    put(STAR_PREFIX, &[b'p'; 131])(block);
                }
            })
        };
        let star = [&[b'p'; 131][..], b"/dir/name"].concat();
        type Case<'c> = (&'c [u8], &'c [u8], &'c [u8], Format);
        let table: &[Case<'_>] = &[
            (b"\0\0\0\0\0\0\0\0", b"\0", b"dir/name", Format::V7),
            (b"ustar\x0000", b"\0", b"some/prefix/dir/name", Format::Ustar),
            (b"ustar\0XX", b"\0", b"some/prefix/dir/name", Format::Ustar),
            (b"ustar\x0000", b"tar\0", &star, Format::Star),
            // The prefix is no time, so this is one of the headers that old versions of Go wrote.
            (b"ustar  \0", b"\0", b"some/prefix/dir/name", Format::Gnu),
            (b"ustar \x0000", b"\0", b"dir/name", Format::V7),
        ];
        for (magic, trailer, name, format) in table {
            let header = parse(&with(magic, trailer)).unwrap();
            assert_eq!((header.name.as_slice(), header.format), (*name, *format), "{}", magic.escape_ascii());
        }
        let times = block(put(GNU_ATIME, b"15135656741\x0015135656741\0"));
        assert_eq!(parse(&times).unwrap().name, b"dir/name");
        let not_ascii = block(put(GNU_ATIME, b"pr\xc3\xa9fix"));
        assert_eq!(parse(&not_ascii).unwrap().name, b"dir/name");
    }

    #[test]
    fn a_damaged_header_is_named() {
        let whole = block(|_| ());
        assert_eq!(parse(&whole).unwrap().size, 10);
        let mut flipped = whole;
        flipped[0] ^= 1;
        assert_eq!(parse(&flipped), Err(TarError::Checksum));
        let mut spaces = whole;
        spaces[CHECKSUM].copy_from_slice(b"99 99999");
        assert_eq!(parse(&spaces), Err(TarError::Checksum));
        let table = [
            (SIZE, "size"),
            (MODE, "mode"),
            (UID, "user"),
            (GID, "group"),
            (MTIME, "time"),
            (DEVICE_MAJOR, "device"),
            (DEVICE_MINOR, "device"),
        ];
        for (field, name) in table {
            assert_eq!(parse(&block(put(field, b"8\0"))), Err(TarError::Number(name)));
        }
        assert_eq!(parse(&block(put(SIZE, &[0xff; 12]))).unwrap().size, -1, "refused where it matters");
    }

    #[test]
    fn the_checksum_may_be_signed() {
        let mut header = block(put(NAME, b"\xe9t\xe9"));
        let signed = |block: &Block| -> i32 {
            let bytes = block.iter().enumerate().filter(|(at, _)| !CHECKSUM.contains(at));
            bytes.map(|(_, byte)| i32::from(byte.cast_signed())).sum::<i32>() + 8 * 32
        };
        let sum = format!("{:06o}\0 ", signed(&header));
        header[CHECKSUM].copy_from_slice(sum.as_bytes());
        assert_eq!(parse(&header).unwrap().name, b"\xe9t\xe9/name");
    }
}
