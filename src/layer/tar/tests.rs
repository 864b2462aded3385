//! Hostile and odd archives. What is expected is what Go's archive/tar makes of them; all but those about limits were
//! given to Go 1.19 as well.

use super::header::BLOCK_BYTES;
use super::reader::Reader;
use super::*;
use crate::limits;

/// An archive, entry by entry.
#[derive(Clone, Default)]
struct Tar(Vec<u8>);

impl Tar {
    /// Adds a ustar header after `change`, and `data` filled up to whole blocks.
    fn with(mut self, kind: u8, name: &[u8], size: usize, data: &[u8], change: impl Fn(&mut [u8])) -> Self {
        let mut header = ::tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.as_mut_bytes()[156] = kind;
        header.set_mode(0o644);
        header.as_mut_bytes()[108..124].fill(0);
        header.set_mtime(0);
        header.set_size(size as u64);
        change(header.as_mut_bytes());
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(BLOCK_BYTES), 0);
        self
    }

    fn entry(self, kind: u8, name: &[u8], data: &[u8]) -> Self {
        self.with(kind, name, data.len(), data, |_| ())
    }

    fn file(self, name: &str, data: &str) -> Self {
        self.entry(b'0', name.as_bytes(), data.as_bytes())
    }

    /// Adds an extended header with these records.
    fn pax(self, kind: u8, records: &[(&str, &str)]) -> Self {
        let body: String = records.iter().map(|(key, value)| pax_record(key, value)).collect();
        self.entry(kind, b"PaxHeaders/0", body.as_bytes())
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn end(self) -> Self {
        self.bytes(&[0; 2 * BLOCK_BYTES])
    }
}

fn pax_record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}")
}

/// All entries as `type name[ -> link][ contents]`, then the error if there is one.
fn list(tar: &Tar) -> Vec<String> {
    let mut reader = Reader::new(&tar.0[..]);
    let mut lines = Vec::new();
    loop {
        match reader.next_member() {
            Ok(None) => return lines,
            Ok(Some(member)) => {
                let mut line = format!("{} {}", char::from(member.typeflag), member.name.escape_ascii());
                if !member.link.is_empty() {
                    line += &format!(" -> {}", member.link.escape_ascii());
                }
                match contents(&mut reader) {
                    Ok(contents) if contents.is_empty() => {}
                    Ok(contents) => line += &format!(" {}", contents.escape_ascii()),
                    Err(error) => line += &format!(" ! {error}"),
                }
                lines.push(line);
            }
            Err(error) => {
                lines.push(format!("! {error}"));
                return lines;
            }
        }
    }
}

fn contents(reader: &mut impl std::io::BufRead) -> std::io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    loop {
        let bytes = reader.fill_buf()?;
        let count = bytes.len();
        if count == 0 {
            return Ok(contents);
        }
        contents.extend_from_slice(bytes);
        reader.consume(count);
    }
}

#[track_caller]
fn check(table: &[(&str, Tar, &[&str])]) {
    for (name, tar, expected) in table {
        assert_eq!(list(tar), *expected, "{name}");
    }
}

fn size_field(bytes: [u8; 12]) -> impl Fn(&mut [u8]) {
    move |header| header[124..136].copy_from_slice(&bytes)
}

#[test]
fn sizes_in_headers() {
    let tar = Tar::default;
    let base_256 = |value: i64| {
        let mut field = [if value < 0 { 0xff } else { 0 }; 12];
        field[4..].copy_from_slice(&value.to_be_bytes());
        field[0] |= 0x80;
        size_field(field)
    };
    check(&[
        ("base-256", tar().with(b'0', b"a", 0, b"hello", base_256(5)).end(), &["0 a hello"]),
        (
            "negative",
            tar().with(b'0', b"a", 0, b"", base_256(-1)).end(),
            &["! a header says that its contents have -1 bytes"],
        ),
        (
            "negative, without contents",
            tar().with(b'5', b"d", 0, b"", base_256(-1)).file("a", "x").end(),
            &["5 d", "0 a x"],
        ),
        (
            "huge",
            tar().with(b'0', b"a", 0, b"hello", base_256(i64::MAX)).end(),
            &["0 a ! it is cut short", "! it is cut short"],
        ),
        (
            "overflow",
            tar().with(b'0', b"a", 0, b"", size_field([0xbf; 12])).end(),
            &["! a header's size is not a number"],
        ),
        (
            "spaces and NULs",
            tar().with(b'0', b"a", 0, b"hello", size_field(*b"\0   \x00005 \0 \0")).end(),
            &["0 a hello"],
        ),
        ("spaces", tar().with(b'0', b"a", 0, b"hello", size_field(*b"  00005 \0  \0")).end(), &["0 a hello"]),
        (
            "minus",
            tar().with(b'0', b"a", 0, b"", size_field(*b"-0000000005\0")).end(),
            &["! a header's size is not a number"],
        ),
    ]);
}

#[test]
fn sizes_in_extended_headers() {
    let tar = Tar::default;
    check(&[
        (
            "PAX over a header's zero",
            tar().pax(b'x', &[("size", "5")]).with(b'0', b"a", 0, b"hello", |_| ()).end(),
            &["0 a hello"],
        ),
        // RUSTSEC-2026-0068: whoever goes by the header reads `fake` as an entry.
        (
            "PAX over a header's size",
            tar()
                .pax(b'x', &[("size", "1024")])
                .with(b'0', b"a", 1, b"", |_| ())
                .bytes(&[b'z'; 1024])
                .file("b", "")
                .end(),
            &[&format!("0 a {}", "z".repeat(1024)), "0 b"],
        ),
        (
            "PAX below zero",
            tar().pax(b'x', &[("size", "-1")]).file("a", "x").end(),
            &["! a header says that its contents have -1 bytes"],
        ),
        (
            "PAX not a number",
            tar().pax(b'x', &[("size", "0x5")]).file("a", "x").end(),
            &["! a PAX record is malformed"],
        ),
        ("PAX empty", tar().pax(b'x', &[("size", "9"), ("size", "")]).file("a", "x").end(), &["0 a x"]),
        (
            "PAX does not change other headers",
            tar()
                .pax(b'x', &[("size", "600")])
                .entry(b'L', b"l", b"long\0")
                .with(b'0', b"a", 3, &[b'z'; 600], |_| ())
                .end(),
            &[&format!("0 long {}", "z".repeat(600))],
        ),
    ]);
}

#[test]
fn sizes_of_what_has_no_contents() {
    let tar = Tar::default;
    check(&[
        // The `tar` crate takes what follows for contents, so that `b` or the end is not seen.
        (
            "a link with a size",
            tar().with(b'1', b"l", 5, b"", |header| header[157] = b't').file("b", "x").end(),
            &["1 l -> t", "0 b x"],
        ),
        ("a directory with a size", tar().with(b'5', b"d", 512, b"", |_| ()).file("b", "x").end(), &["5 d", "0 b x"]),
    ]);
}

#[test]
fn names() {
    let tar = Tar::default;
    check(&[
        ("not UTF-8", tar().entry(b'0', b"\xff\xfe\n", b"x").end(), &["0 \\xff\\xfe\\n x"]),
        ("empty", tar().entry(b'0', b"", b"x").end(), &["0  x"]),
        ("a NUL ends it", tar().entry(b'0', b"a\0b", b"x").end(), &["0 a x"]),
        (
            "GNU",
            tar().entry(b'L', b"l", b"long/name\0rest").entry(b'K', b"k", b"target\0").entry(b'2', b"a", b"").end(),
            &["2 long/name -> target"],
        ),
        ("GNU, empty", tar().entry(b'L', b"l", b"\0").file("a", "x").end(), &["0 a x"]),
        ("GNU, twice", tar().entry(b'L', b"l", b"one").entry(b'L', b"l", b"two").file("a", "x").end(), &["0 two x"]),
        (
            "GNU before PAX",
            tar().entry(b'L', b"l", b"gnu").pax(b'x', &[("path", "pax")]).file("a", "x").end(),
            &["0 gnu x"],
        ),
        (
            "GNU after PAX",
            tar().pax(b'x', &[("path", "pax")]).entry(b'L', b"l", b"gnu").file("a", "x").end(),
            &["0 gnu x"],
        ),
    ]);
}

#[test]
fn names_in_extended_headers() {
    let tar = Tar::default;
    check(&[
        (
            "PAX",
            tar().pax(b'x', &[("path", "p\n="), ("linkpath", "t")]).entry(b'1', b"a", b"").end(),
            &["1 p\\n= -> t"],
        ),
        ("PAX, twice a key", tar().pax(b'x', &[("path", "one"), ("path", "two")]).file("a", "x").end(), &["0 two x"]),
        (
            "PAX, twice a header",
            tar().pax(b'x', &[("path", "one"), ("size", "9")]).pax(b'x', &[("comment", "")]).file("a", "x").end(),
            &["0 a x"],
        ),
        ("PAX, NUL", tar().pax(b'x', &[("path", "a\0b")]).file("a", "x").end(), &["! a PAX record is malformed"]),
        (
            "PAX, padding as records",
            tar().entry(b'x', b"x", b"9 path=a\n\0\0\0").file("a", "x").end(),
            &["! a PAX record is malformed"],
        ),
        (
            "PAX, other values",
            tar().pax(b'x', &[("mtime", "soon")]).file("a", "x").end(),
            &["! a PAX record is malformed"],
        ),
        (
            "a global header is for nobody",
            tar().pax(b'g', &[("path", "g"), ("size", "0")]).file("a", "x").end(),
            &["g PaxHeaders/0", "0 a x"],
        ),
        (
            "nor is one before it",
            tar().pax(b'x', &[("path", "p")]).pax(b'g', &[("comment", "c")]).file("a", "x").end(),
            &["g PaxHeaders/0", "0 a x"],
        ),
        (
            "a malformed global header",
            tar().entry(b'g', b"g", b"x").file("a", "x").end(),
            &["! a PAX record is malformed"],
        ),
    ]);
}

#[test]
fn names_that_end_in_a_slash() {
    let tar = Tar::default;
    check(&[
        ("slash, of old", tar().entry(0, b"d/", b"").end(), &["5 d/"]),
        ("slash, of old, in PAX", tar().pax(b'x', &[("path", "d/")]).entry(0, b"d", b"").end(), &["5 d/"]),
        // The `tar` crate makes this one a directory.
        ("slash", tar().file("a/", "x").end(), &["0 a/ x"]),
    ]);
}

#[test]
fn ends() {
    let one = || Tar::default().file("a", "hello");
    let cut = |length| Tar(one().0[..length].to_vec());
    check(&[
        ("empty", Tar::default(), &[]),
        ("only zeros", Tar::default().end(), &[]),
        ("two blocks", one().end(), &["0 a hello"]),
        ("no block", one(), &["0 a hello"]),
        ("one block", one().bytes(&[0; 512]), &["0 a hello"]),
        ("not quite two blocks", one().bytes(&[0; 1000]), &["0 a hello", "! it is cut short"]),
        // The `tar` crate and GNU tar stop at the first block; Go has it for an error.
        (
            "one block and an entry",
            one().bytes(&[0; 512]).file("b", "x").end(),
            &["0 a hello", "! a single block of zeros stands before a header"],
        ),
        ("two blocks and an entry", one().end().file("b", "x").end(), &["0 a hello"]),
        ("two blocks and noise", one().end().bytes(b"noise"), &["0 a hello"]),
        ("noise", one().bytes(b"noise"), &["0 a hello", "! it is cut short"]),
        ("a block of noise", one().bytes(&[b'n'; 512]), &["0 a hello", "! a header's checksum is wrong"]),
        ("no padding", cut(512 + 5), &["0 a hello"]),
        ("half the padding", cut(512 + 300), &["0 a hello"]),
        ("half the contents", cut(512 + 3), &["0 a ! it is cut short", "! it is cut short"]),
        ("half a header", cut(100), &["! it is cut short"]),
        ("a header for nothing", one().pax(b'x', &[("path", "p")]).end(), &["0 a hello"]),
        (
            "half an extended header",
            Tar(Tar::default().pax(b'x', &[("path", "p")]).0[..515].to_vec()),
            &["! it is cut short"],
        ),
    ]);
}

/// A GNU sparse header of the old kind with one part.
fn old_sparse(start: usize, length: usize, size: usize) -> impl Fn(&mut [u8]) {
    move |header| {
        header[257..265].copy_from_slice(b"ustar  \0");
        header[345..].fill(0);
        header[386..410].copy_from_slice(format!("{start:011o}\0{length:011o}\0").as_bytes());
        header[483..495].copy_from_slice(format!("{size:011o}\0").as_bytes());
    }
}

#[test]
fn sparse_files() {
    let tar = Tar::default;
    let whole = "0 real \\x00\\x00hello\\x00";
    let v0 = [("GNU.sparse.size", "8"), ("GNU.sparse.numblocks", "1")];
    let v0_0 = [&v0[..], &[("GNU.sparse.offset", "2"), ("GNU.sparse.numbytes", "5"), ("path", "real")]].concat();
    let v0_1 = [&v0[..], &[("GNU.sparse.map", "2,5"), ("GNU.sparse.name", "real")]].concat();
    let v1_0 = [
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.name", "real"),
        ("GNU.sparse.realsize", "8"),
    ];
    let map = [&b"1\n2\n5\n"[..], &[0; 506], b"hello"].concat();
    let unknown = [("GNU.sparse.major", "2"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "real")];
    check(&[
        (
            "old",
            tar().with(b'S', b"a", 5, b"hello", old_sparse(2, 5, 8)).file("b", "x").end(),
            &["S a \\x00\\x00hello\\x00", "0 b x"],
        ),
        ("0.0", tar().pax(b'x', &v0_0).file("a", "hello").file("b", "x").end(), &[whole, "0 b x"]),
        ("0.1", tar().pax(b'x', &v0_1).file("a", "hello").file("b", "x").end(), &[whole, "0 b x"]),
        ("1.0", tar().pax(b'x', &v1_0).entry(b'0', b"a", &map).file("b", "x").end(), &[whole, "0 b x"]),
        ("unknown versions are files", tar().pax(b'x', &unknown).file("a", "hello").end(), &["0 a hello"]),
        (
            "less data",
            tar().pax(b'x', &v0_1).file("a", "hell").end(),
            &["0 real ! a sparse map names data that is not there"],
        ),
        (
            "more data",
            tar().pax(b'x', &v0_1).file("a", "hello!").end(),
            &["0 real ! a sparse file has data that its map does not name"],
        ),
        ("no number of parts", tar().pax(b'x', &v0_1[2..]).file("a", "hello").end(), &["! a sparse map is malformed"]),
        (
            "wrong number of parts",
            tar().pax(b'x', &[&v0_1[..], &[("GNU.sparse.numblocks", "2")]].concat()).file("a", "hello").end(),
            &["! a sparse map is malformed"],
        ),
        (
            "a map longer than the contents",
            tar().pax(b'x', &v1_0).entry(b'0', b"a", b"1\n2\n5\n").end(),
            &["! it is cut short"],
        ),
        ("a sparse directory", tar().pax(b'x', &v0_1).entry(b'5', b"d", b"").end(), &["! a sparse map is malformed"]),
        ("star's own kind", tar().entry(b'S', b"a", b"x").end(), &["! a sparse map is malformed"]),
    ]);
}

#[test]
fn holes_have_a_limit() {
    let hole = |tar: Tar| tar.with(b'S', b"a", 0, b"", old_sparse(0, 0, 0o77_777_777_777));
    let tar = hole(hole(hole(Tar::default()))).end();
    let mut reader = Reader::new(&tar.0[..]);
    assert_eq!(reader.next_member().unwrap().unwrap().size, 0o77_777_777_777);
    reader.next_member().unwrap();
    let error = reader.next_member().map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("it has more than {} bytes of holes in sparse files", limits::TAR_HOLE_BYTES)
    );
}

#[test]
fn types() {
    let walked = |kind: u8| {
        let tar = Tar::default().entry(kind, b"a", b"").end();
        walk(&tar.0[..], |_, _, _| Ok(Walk::GoOn)).map_err(|error| error.to_string())
    };
    for known in *b"\x0001234567g" {
        assert_eq!(walked(known), Ok(()), "{}", known.escape_ascii());
    }
    for unknown in *b"89ADEIMNVXZ\xff \n" {
        let error = format!("its tar cannot be read: an entry has the unknown type `{}`", unknown.escape_ascii());
        assert_eq!(walked(unknown), Err(error));
    }
}

#[test]
fn names_and_extensions_have_limits() {
    let long = |length: usize| Tar::default().entry(b'L', b"l", &vec![b'n'; length]).file("a", "").end();
    assert_eq!(list(&long(limits::TAR_PATH_BYTES)).len(), 1);
    assert_eq!(list(&long(limits::TAR_PATH_BYTES + 1)), ["! it has more than 65536 bytes in a path"]);
    let extension = "! it has more than 1048576 bytes in an extended header";
    assert_eq!(list(&long(limits::TAR_EXTENSION_BYTES + 1)), [extension]);
    let huge = Tar::default().with(b'x', b"x", 1 << 32, b"", |_| ()).end();
    assert_eq!(list(&huge), [extension], "before anything is allocated");
}

#[test]
fn small_reads_below_do_not_matter() {
    /// Hands out a few bytes at a time.
    struct Drip<'t>(&'t [u8], usize);
    impl std::io::Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.1 = self.1 % 700 + 1;
            let count = self.1.min(buffer.len()).min(self.0.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }
    let tar =
        Tar::default().file("a", &"x".repeat(5000)).with(b'S', b"s", 5, b"hello", old_sparse(40_000, 5, 50_000)).end();
    let mut reader = Reader::new(std::io::BufReader::new(Drip(&tar.0, 0)));
    assert_eq!(reader.next_member().unwrap().unwrap().name, b"a");
    assert_eq!(contents(&mut reader).unwrap(), [b'x'; 5000]);
    assert_eq!(reader.next_member().unwrap().unwrap().size, 50_000);
    let mut sparse = vec![0; 50_000];
    sparse[40_000..40_005].copy_from_slice(b"hello");
    assert_eq!(contents(&mut reader).unwrap(), sparse);
    assert!(reader.next_member().unwrap().is_none());
}
