//! The head of an ELF file: which processor it is for, and which loader it names.
//!
//! A reader of our own: of the whole format three fields of the header and one program header are wanted, and the bytes
//! come from strangers, so that each access is checked (ELF gABI, chapters 4 and 5).

/// Program header type of the loader's path.
const PT_INTERP: u32 = 3;

/// What the head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Elf {
    /// 64-bit or 32-bit.
    pub(super) is_64: bool,
    /// `e_machine`.
    pub(super) machine: u16,
    /// The loader, as in `/lib64/ld-linux-x86-64.so.2`.
    pub(super) loader: Loader,
}

/// Which loader a program names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Loader {
    /// None: the program is static.
    None,
    /// This one.
    Path(Vec<u8>),
    /// The head that was read does not say.
    Unknown,
}

/// Whether these are the first bytes of an ELF file.
pub(super) fn is_elf(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF")
}

/// Reads the beginning of an ELF file; `None` where it is too short or broken.
pub(super) fn parse(bytes: &[u8]) -> Option<Elf> {
    if !is_elf(bytes) {
        return None;
    }
    let is_64 = match bytes.get(4)? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let reader = Reader { bytes, is_little: *bytes.get(5)? == 1 };
    let machine = reader.u16(18)?;
    let (at, size, count) = match is_64 {
        true => (reader.u64(32)?, reader.u16(54)?, reader.u16(56)?),
        false => (u64::from(reader.u32(28)?), reader.u16(42)?, reader.u16(44)?),
    };
    let headers = (0..u64::from(count)).map(|number| at.checked_add(number * u64::from(size)));
    let mut loader = Loader::None;
    for header in headers {
        match reader.interpreter(header, is_64) {
            Some(None) => {}
            Some(Some(path)) => loader = Loader::Path(path),
            None => loader = Loader::Unknown,
        }
        if loader != Loader::None {
            break;
        }
    }
    Some(Elf { is_64, machine, loader })
}

struct Reader<'a> {
    bytes: &'a [u8],
    is_little: bool,
}

impl Reader<'_> {
    fn array<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        let at = usize::try_from(at).ok()?;
        let mut bytes: [u8; N] = self.bytes.get(at..at.checked_add(N)?)?.try_into().ok()?;
        if !self.is_little {
            bytes.reverse();
        }
        Some(bytes)
    }

    fn u16(&self, at: u64) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    fn u32(&self, at: u64) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    fn u64(&self, at: u64) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// The path in a program header; inner `None` for a header of another kind, outer `None` where bytes are missing.
    fn interpreter(&self, header: Option<u64>, is_64: bool) -> Option<Option<Vec<u8>>> {
        let header = header?;
        if self.u32(header)? != PT_INTERP {
            return Some(None);
        }
        let field = |wide: u64, narrow: u64| match is_64 {
            true => self.u64(header.checked_add(wide)?),
            false => self.u32(header.checked_add(narrow)?).map(u64::from),
        };
        let (start, size) = (usize::try_from(field(8, 4)?).ok()?, usize::try_from(field(32, 16)?).ok()?);
        let path = self.bytes.get(start..start.checked_add(size)?)?;
        Some(Some(path.split(|&byte| byte == 0).next().unwrap_or_default().to_vec()))
    }
}

/// What `e_machine` and the width are for an architecture in Go's spelling; `None` for one not known here.
pub(super) fn machine_of(architecture: &str) -> Option<(u16, bool)> {
    Some(match architecture {
        "amd64" => (62, true),
        "arm64" => (183, true),
        "arm" => (40, false),
        "386" => (3, false),
        "ppc64le" => (21, true),
        "s390x" => (22, true),
        "riscv64" => (243, true),
        _ => return None,
    })
}

/// The architecture in Go's spelling, for people.
pub(super) fn architecture(elf: &Elf) -> String {
    let known = ["amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64"];
    let name = known.iter().find(|name| machine_of(name) == Some((elf.machine, elf.is_64)));
    name.map_or_else(|| format!("ELF machine {}", elf.machine), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 64-bit program with one program header.
    pub(super) fn program(machine: u16, kind: u32, loader: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
        bytes.extend(machine.to_le_bytes());
        bytes.resize(32, 0);
        bytes.extend(64_u64.to_le_bytes());
        bytes.resize(54, 0);
        bytes.extend([56_u16, 1].map(u16::to_le_bytes).concat());
        bytes.resize(64, 0);
        bytes.extend(kind.to_le_bytes());
        bytes.resize(72, 0);
        bytes.extend(120_u64.to_le_bytes());
        bytes.resize(96, 0);
        bytes.extend((loader.len() as u64).to_le_bytes());
        bytes.resize(120, 0);
        bytes.extend(loader);
        bytes
    }

    #[test]
    fn the_loader_and_the_machine_are_read() {
        let elf = parse(&program(62, PT_INTERP, b"/lib/ld-musl-x86_64.so.1\0")).unwrap();
        assert_eq!(elf.loader, Loader::Path(b"/lib/ld-musl-x86_64.so.1".to_vec()));
        assert_eq!((elf.machine, architecture(&elf).as_str()), (62, "amd64"));
        assert_eq!(parse(&program(183, 1, b"")).unwrap().loader, Loader::None);
        let cut = program(62, PT_INTERP, b"/lib/ld.so\0");
        assert_eq!(parse(&cut[..125]).unwrap().loader, Loader::Unknown);
        assert_eq!(parse(b"\x7fELF\x02\x01"), None);
    }

    #[test]
    fn the_program_that_runs_this_is_one() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let elf = parse(&own).unwrap();
        assert_eq!(machine_of("amd64").filter(|_| cfg!(target_arch = "x86_64")).is_some(), elf.machine == 62);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        let whole = program(62, PT_INTERP, b"/lib/ld.so\0");
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..4 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (state >> 33) as usize % bytes.len();
                bytes[at] = (state >> 56) as u8;
            }
            bytes.truncate((state >> 40) as usize % (whole.len() + 1));
            let _ = parse(&bytes);
        }
    }
}
