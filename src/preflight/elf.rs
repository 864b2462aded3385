//! The head of an ELF file, as far as it says what runs it (System V ABI, chapters 4 and 5). A reader of our own, because
//! two numbers and a name are wanted, from bytes that may be anything.

/// What the head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Elf {
    /// `e_machine`.
    pub(super) machine: u16,
    /// The dynamic loader; `None` for static programs.
    pub(super) interpreter: Option<Vec<u8>>,
}

const MAGIC: &[u8] = b"\x7fELF";
const PT_INTERP: u32 = 3;

/// Reads numbers of either order of bytes.
struct Bytes<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl Bytes<'_> {
    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(size)?)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
    }

    fn offset(&self, at: usize, size: usize) -> Option<usize> {
        usize::try_from(self.number(at, size)?).ok()
    }
}

impl Elf {
    /// Whether `bytes` begin an ELF file.
    pub(super) fn is_elf(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Reads the beginning of a file; `None` where it is no ELF file, or ends before it has said what is wanted.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (class, order) = (*bytes.get(4)?, *bytes.get(5)?);
        if !Self::is_elf(bytes) || !matches!(class, 1 | 2) || !matches!(order, 1 | 2) {
            return None;
        }
        let wide = class == 2;
        let bytes = Bytes { bytes, little: order == 1 };
        let machine = u16::try_from(bytes.number(18, 2)?).ok()?;
        let table = if wide { bytes.offset(32, 8)? } else { bytes.offset(28, 4)? };
        let (size, count) = if wide {
            (bytes.offset(54, 2)?, bytes.offset(56, 2)?)
        } else {
            (bytes.offset(42, 2)?, bytes.offset(44, 2)?)
        };
        let mut interpreter = None;
        for entry in 0..count {
            let at = table.checked_add(entry.checked_mul(size)?)?;
            if bytes.number(at, 4)? != u64::from(PT_INTERP) {
                continue;
            }
            let (start, length) = match wide {
                true => (bytes.offset(at.checked_add(8)?, 8)?, bytes.offset(at.checked_add(32)?, 8)?),
                false => (bytes.offset(at.checked_add(4)?, 4)?, bytes.offset(at.checked_add(16)?, 4)?),
            };
            let name = bytes.bytes.get(start..start.checked_add(length)?)?;
            interpreter = Some(name.split(|byte| *byte == 0).next().unwrap_or_default().to_vec());
        }
        Some(Self { machine, interpreter })
    }

    /// Whether processors of this architecture (image-spec config.md: the names of Go) run it; `None` for architectures
    /// that are not known here.
    pub(super) fn runs_on(&self, architecture: &str) -> Option<bool> {
        // 64-bit x86 runs programs of 32 bits, too.
        let machines: &[u16] = match architecture {
            "amd64" => &[62, 3],
            "386" => &[3],
            "arm64" => &[183],
            "arm" => &[40],
            "ppc64le" | "ppc64" => &[21],
            "s390x" => &[22],
            "riscv64" => &[243],
            _ => return None,
        };
        Some(machines.contains(&self.machine))
    }

    /// The architecture by name.
    pub(super) fn architecture(&self) -> String {
        match self.machine {
            62 => "amd64".to_owned(),
            3 => "386".to_owned(),
            183 => "arm64".to_owned(),
            40 => "arm".to_owned(),
            21 => "ppc64".to_owned(),
            22 => "s390x".to_owned(),
            243 => "riscv64".to_owned(),
            other => format!("machine {other}"),
        }
    }
}
