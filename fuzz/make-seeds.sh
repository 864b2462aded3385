#!/usr/bin/env bash
# Makes seeds/tar and seeds/decompress anew: one small file for each format that a target knows.
# Needs GNU tar, gzip and zstd.
set -euo pipefail
cd "$(dirname "$0")/seeds"
export LC_ALL=C TZ=UTC

rm -rf tar decompress
mkdir -p tar decompress
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

long=$(printf 'n%.0s' {1..110})
mkdir -p "$work/t/$long"
printf 'hello\n' >"$work/t/a"
printf 'x%.0s' {1..600} >"$work/t/$long/b"
ln "$work/t/a" "$work/t/hard"
ln -s "$(printf 's%.0s' {1..110})" "$work/t/soft"
truncate -s 8192 "$work/t/sparse"
printf 'after the hole' >>"$work/t/sparse"
: >"$work/t/.wh.gone"

pack() {
  tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@1767225600 --blocking-factor=1 "${@:2}" \
    -cf "tar/$1.tar" t
}
pack gnu --format=gnu
pack gnu-sparse --format=gnu --sparse
pack oldgnu --format=oldgnu
times=--pax-option=exthdr.name=x,delete=atime,delete=ctime
pack pax --format=posix "$times"
pack pax-global --format=posix "$times,globexthdr.name=g,comment=all"
for version in 0.0 0.1 1.0; do
  pack "pax-sparse-$version" --format=posix --sparse --sparse-version=$version "$times"
done
rm -rf "$work/t/$long" "$work/t/soft" "$work/t/sparse"
pack ustar --format=ustar
pack v7 --format=v7

cd decompress
gzip -nc ../tar/v7.tar >one.gz
printf 'one' | gzip -nc >members.gz
printf '' | gzip -nc >>members.gz
printf 'two' | gzip -nc >>members.gz
{ cat members.gz; head -c 20 /dev/zero; } >zeros.gz
zstd -qc ../tar/v7.tar >one.zst
{ printf 'one' | zstd -qc; printf '\x50\x2a\x4d\x18\x04\x00\x00\x00skip'; printf 'two' | zstd -qc --no-check; } >frames.zst
printf 'plain' >plain
