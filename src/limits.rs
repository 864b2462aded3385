//! Every cap in one place, with its unit and its reason.

/// Bytes of a manifest or index. Registries refuse larger ones (distribution-spec: "at least 4 megabytes").
pub const MANIFEST_BYTES: u64 = 4 << 20;

/// Bytes of an image configuration. Histories of hundreds of steps stay far below.
pub const CONFIG_BYTES: u64 = 8 << 20;

/// Bytes of an attestation. Provenance in BuildKit's `max` mode describes every step, and stays below a few megabytes.
pub const ATTESTATION_BYTES: u64 = 8 << 20;

/// Manifests looked at of those that refer to an image; each costs a request, and no image has that much provenance.
pub const REFERRERS: usize = 32;

/// Bytes read of an error's body; enough for any message, and no more of an endless page.
pub const ERROR_BODY_BYTES: usize = 16 << 10;

/// Bytes of a JSON index (`index.json`, `manifest.json`) inside a layout or archive.
pub const ARCHIVE_JSON_BYTES: u64 = 4 << 20;

/// Indexes within indexes. Docker's containerd store writes two levels; more has no use.
pub const INDEX_DEPTH: usize = 3;

/// Symbolic links followed in one lookup, as Linux has it (`MAXSYMLINKS`).
pub const SYMLINKS: usize = 40;

/// Redirects followed for one request; Artifact Registry needs one, Docker Hub two.
pub const REDIRECTS: usize = 5;

/// Times one request or one blob is tried again before the failure is final.
pub const RETRIES: usize = 4;

/// Bytes that a download must have brought for its next failure to be the first again. Any fewer, and a server that
/// gives a byte each time could keep us for ever.
pub const PROGRESS_BYTES: u64 = 1 << 20;

/// Times the time limit of a connection (`--timeout`, 30 seconds) that a body may keep us waiting for
/// [`PROGRESS_BYTES`] in all. Each byte starts that limit anew, so that a byte every few seconds would never end; a line
/// that needs longer carries less than 4 KB a second.
pub const PROGRESS_TIMEOUTS: u32 = 10;

/// Warnings of one registry that are told. Real ones send one or two; a hostile one could send others with each answer.
pub const WARNINGS: usize = 16;

/// Seconds that a registry's `Retry-After` may make us wait; a longer wish ends in the error instead.
pub const RETRY_AFTER_SECONDS: u64 = 60;

/// Chunks of a download that may wait for the reader. The HTTP client makes them as large as 400 KiB when the reader is
/// slow, and eight layers are read at once.
pub const CHUNKS_IN_FLIGHT: usize = 4;

/// Bytes of one file that git's conversions (line endings, `$Id$`) are tried on; larger files are not source text.
pub const NORMALIZE_BYTES: u64 = 16 << 20;

/// Bytes of one file of git that is hashed to be found in a layer's table of contents, and held in memory whole.
pub const NAMED_BYTES: u64 = 32 << 20;

/// Bytes of a Dockerfile, `.dockerignore` or attributes file read from the repository.
pub const REPO_TEXT_BYTES: u64 = 1 << 20;

/// Bytes of the path that a build step names: Linux takes none that is longer (`PATH_MAX`).
pub const BUILD_PATH_BYTES: usize = 4096;

/// Bytes that the variables of one Dockerfile may stand for, all together. `ENV A=$A$A` doubles them with each line.
pub const SUBSTITUTED_BYTES: usize = 4 << 20;

/// Sources that the copies of one build may name. Images have a few hundred layers at most (overlayfs takes 500).
pub const BUILD_SOURCES: usize = 4096;

/// Files that the copies of one build may put into an image, those counted twice that two copies put there. A history
/// of many copies of the whole repository would not fit into memory.
pub const COPIED_FILES: usize = 2_000_000;

/// Bytes of file contents held in memory before they move to an unnamed temporary file.
pub const SPOOL_BYTES: usize = 4 << 20;

/// Bytes of a layer that are asked for at once, where parts of it are: a table of contents, or files that lie together.
pub const RANGE_BYTES: u64 = 16 << 20;

/// Bytes of a layer's table of contents, uncompressed and held in memory whole. It has some 300 bytes for each file; a
/// layer of 100,000 files is read whole.
pub const TABLE_BYTES: u64 = 32 << 20;

/// Bytes that files of a layer may lie apart and still be asked for together: about what another request costs.
pub const RANGE_GAP_BYTES: u64 = 64 << 10;

/// Bytes of a piece of a large file that is read in parts.
pub const RANGE_PIECE_BYTES: u64 = 4 << 20;

/// Bytes of one line that is searched; a longer one is data, and would have to be held in memory whole.
pub const SEARCHED_LINE_BYTES: usize = 16 << 20;

/// Bytes of one file that is shown line by line against another; larger files are not source text.
pub const DIFF_BYTES: u64 = 1 << 20;

/// Files of no commit whose nearest version is looked for; a report of more is read by nobody.
pub const FILES_TRACED: usize = 100;

/// Commits that one platform's image is compared with again to find the ends of ranges. Each costs as much as the first
/// comparison; most images need one for each layer.
pub const COMMITS_CONFIRMED: usize = 24;

/// Versions of a file that are compared with bytes of no commit, newest first.
pub const VERSIONS_COMPARED: usize = 50;

/// Bytes of a PAX header, of a GNU long name and of a sparse map: as many as Go's archive/tar reads, and with it the
/// runtimes (`maxSpecialFileSize`; CVE-2022-2879, CVE-2025-58183). A map of that size has at most 2^18 entries.
pub const TAR_EXTENSION_BYTES: usize = 1 << 20;

/// Bytes of a path or of a link's target in a layer. Linux takes 4096 in one call (`PATH_MAX`), so no runtime gets
/// near this; one PAX header could hold sixteen times as much.
pub const TAR_PATH_BYTES: usize = 64 << 10;

/// Headers in one layer's tar. A file has one to four (PAX, GNU name, GNU link, its own); the largest layers seen
/// hold some hundred thousand files.
pub const TAR_HEADERS: u32 = 5_000_000;

/// Bytes of holes in the sparse files of one layer. They take no room in it, but hashing these takes half a minute.
pub const TAR_HOLE_BYTES: u64 = 16 << 30;

/// Bytes that the indexes of all layers read together may take up unless the user allows more: 700,000 files with names
/// of 60 bytes, several times what the largest images have. The index of 400,000 files takes 65 MiB.
pub const INDEX_BYTES: usize = 128 << 20;

/// Bytes that the merged file system may take up, likewise. A layer's index does not hold the directories that its paths
/// imply, and a manifest may list one layer thousands of times.
pub const TREE_BYTES: usize = INDEX_BYTES;

/// Bytes that one blob may unpack to, whatever its size; ten minutes of hashing.
pub const UNPACKED_BYTES: u64 = 256 << 30;

/// Bytes that any blob may unpack to, however small it is: a preallocated database or disk image of 10 GB is some
/// hundred kilobytes of zstd, and still a file.
pub const UNPACKED_BYTES_FREE: u64 = 16 << 30;

/// Times its own size that a larger blob may unpack to. DEFLATE cannot reach this (1032), zstd can (over 30,000).
pub const UNPACKED_RATIO: u64 = 1100;

/// Binary logarithm of the bytes that a zstd frame may ask a decoder to keep (`windowLog`): 32 MiB, so that two
/// layers at a time stay below 100 MiB. Builders (klauspost/compress) and `zstd` up to level 20 need no more; levels
/// 21, 22 and `--long` do.
pub const ZSTD_WINDOW_LOG: u32 = 25;

/// Bytes that the cache may take up on disk unless the user says otherwise: the indexes of some hundred large images
/// (80 bytes a file; a large Python image has 60,000).
pub const CACHE_BYTES: u64 = 1 << 30;

/// Percent of that which are left when the cache has grown too large and the entries used longest ago are removed.
pub const CACHE_PRUNED_PERCENT: u64 = 90;

/// Bytes of one block of a cache entry, which is held in memory whole. An index has blocks of 64 KiB and one change more
/// at the most, a document is one block.
pub const CACHE_BLOCK_BYTES: usize = 8 << 20;

/// Bytes of an answer of Google's APIs. A page of a hundred services, each with dozens of variables, stays below.
pub const API_BYTES: usize = 32 << 20;

/// Bytes read of one file that says whether an image will start. Locks of large Node projects have a few megabytes.
pub const PREFLIGHT_BYTES: u64 = 8 << 20;

/// Scripts that may be each other's interpreters, as Linux has it (`BINPRM_MAX_RECURSION` and the program itself).
pub const INTERPRETERS: usize = 5;
