#!/usr/bin/env bash
# Makes the seeds of all targets anew: one small file for each format or form that a target knows.
# Needs GNU tar, gzip, zstd, jq and git.
set -euo pipefail
cd "$(dirname "$0")/seeds"
export LC_ALL=C TZ=UTC

targets=(tar decompress reference manifest config merge dockerfile history challenge table)
rm -rf "${targets[@]}"
mkdir -p "${targets[@]}"
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
cd ..

# seed TARGET/NAME LINE…
seed() {
  local IFS=$'\n'
  printf '%s' "${*:2}" >"$1"
}

digest=sha256:$(printf '' | sha256sum | cut -d' ' -f1)
seed reference/hub alpine
seed reference/transport docker://quay.io/a/b-c/d__e:v1.2_3
seed reference/port 127.0.0.1:5055/a/b:stale
seed reference/digest "localhost:5000/a@$digest"
seed reference/both "us-docker.pkg.dev/p/r/i:tag@$digest"
seed reference/layout oci:testdata/demo/image:phase3
seed reference/layout-digest "oci:/tmp/image@$digest"
seed reference/archive oci-archive:/tmp/a.tar:v1
seed reference/docker-archive docker-archive:/tmp/a.tar:localhost:5000/app:v1
seed reference/daemon docker-daemon:app:v1

demo=../../testdata/demo
blob() {
  cat "$demo/image/blobs/sha256/${1#sha256:}"
}
cp "$demo/image/index.json" manifest/demo-index
for tag in good phase3; do
  named=".manifests[] | select(.annotations[\"org.opencontainers.image.ref.name\"] == \"$tag\").digest"
  blob "$(jq -r "$named" "$demo/image/index.json")" >"manifest/demo-$tag"
  blob "$(jq -r .config.digest "manifest/demo-$tag")" >"config/demo-$tag"
done
# json FILE FILTER
json() {
  jq -nc --arg digest "$digest" "$2" >"$1"
}
json manifest/index '{schemaVersion: 2, manifests: [
  {mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $digest, size: 2,
    platform: {os: "linux", architecture: "arm64", variant: "v8"}},
  {mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $digest, size: 2,
    platform: {os: "unknown", architecture: "unknown"},
    annotations: {"vnd.docker.reference.type": "attestation-manifest"}}]}'
json manifest/docker '{schemaVersion: 2, mediaType: "application/vnd.docker.distribution.manifest.v2+json",
  config: {mediaType: "application/vnd.docker.container.image.v1+json", digest: $digest, size: 2},
  layers: [{mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", digest: $digest, size: 3}]}'
json manifest/schema1 '{schemaVersion: 1, fsLayers: [{blobSum: $digest}], history: []}'
json manifest/artifact '{schemaVersion: 2, artifactType: "application/x", layers: [],
  config: {mediaType: "application/vnd.oci.empty.v1+json", digest: $digest, size: 2}}'
json config/full '{os: "linux", architecture: "arm", variant: "v7", created: "2026-01-01T00:00:00Z",
  config: {Env: ["PATH=/bin", "A"], Entrypoint: ["/x"], Cmd: null, WorkingDir: "/app", Labels: {a: "b", c: null}},
  rootfs: {type: "layers", diff_ids: [$digest, $digest]}, history: [
    {created_by: "ADD rootfs"}, {created_by: "ENV A=b", empty_layer: true}, {empty_layer: false}]}'
json config/nulls '{config: null, rootfs: null, history: null}'

seed merge/whiteouts 'f d/a=1' 'd e' 'f e/b=2' -- '- d' 'f d/c=3' 'opq e'
seed merge/links 'f usr/lib/x=1' 'l lib>usr/lib' 'l app>no/../usr' 'h y>usr/lib/x' -- 'f lib/z=2' '- lib/x' 'h w>y' \
  's dev/null'
seed merge/kinds 'f a/b/c=1' -- 'f a/b=2' -- 'f a/b/d=3' 'l a>/' -- 'd .' 'f a/../e=4'
seed merge/early 'h b>a' 'h c>b' 'f a=1' -- 'l x>y' 'l y>x' -- 'f x/z=1'

git --git-dir="$demo/repo.git" ls-tree -r --name-only HEAD | sed -n '/Dockerfile$/p' | while read -r path; do
  git --git-dir="$demo/repo.git" show "HEAD:$path" >"dockerfile/demo-$(printf %s "$path" | tr / -)"
done
seed dockerfile/stages '# syntax=docker/dockerfile:1' 'ARG V=1' 'FROM --platform=linux/amd64 image AS first' 'ARG V' \
  'ENV D=/d$V E="a b"' 'WORKDIR $D' 'COPY --chown=1:1 a ./' 'FROM first' 'WORKDIR ../${E:-x}' \
  'COPY --from=first /a /b' 'ADD build.tar.gz https://example.com/x /app/' 'COPY ["services", "/app"]' \
  'CMD ["python", "main.py"]'
seed dockerfile/words '# escape=`' 'FROM x' \
  "COPY --parents --exclude=*.md --exclude='b c' services/./api/**/*.py /app/" 'COPY <<EOT /file' text EOT 'RUN a `' \
  '  && b' 'COPY h?m[a-e].md sh* app' 'ONBUILD COPY . .' 'ENTRYPOINT run'
eightfold='ENV A=$A$A$A$A$A$A$A$A'
seed dockerfile/doubling 'FROM x' 'ENV A=0123456789' "$eightfold" "$eightfold" "$eightfold" "$eightfold" "$eightfold" \
  "$eightfold" "$eightfold" 'COPY $A/a /x' 'WORKDIR $A' 'COPY b b'
printf 'FROM x\nCOPY . /app/\n\0# no\n*\n!services\n**/*.py\n!services/api/b/\n' >dockerfile/ignore

jq -r '.history[].created_by // ""' config/demo-good >history/demo
seed history/buildkit 'WORKDIR /app' 'COPY --chown=1:1 services/api/ ./api/ # buildkit' \
  'RUN |1 X=y /bin/sh -c make # buildkit' 'ADD build.tar.gz https://example.com/x /x/ # buildkit' \
  'COPY --parents services/./api/*.py /p/ # buildkit' 'CMD ["python" "main.py"]'
seed history/docker "/bin/sh -c #(nop) ADD file:${digest#*:} in /" '/bin/sh -c #(nop) WORKDIR /app' \
  "/bin/sh -c #(nop) COPY dir:${digest#*:} in ./shared/ " '|1 X=y /bin/sh -c make'
seed history/kaniko 'WORKDIR $X' 'COPY --from=build "/a b" /b' 'COPY ["shared", "x y", "/app/"]' 'WORKDIR "/q r"' \
  'COPY $V shared.txt /x'

seed challenge/hub \
  'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"'
seed challenge/several 'Negotiate, Basic realm="a\"b", Bearer realm="http://127.0.0.1:5001/t", error=invalid' \
  'bearer REALM=x, scope="a b"'
seed challenge/realms https://user:p@auth.example/token https://169.254.169.254/token https://0x7f.1/token \
  'https://[::ffff:10.0.0.1]/token' 'https://[64:ff9b::10.0.0.1]/token' http://10.0.0.5:5000/token \
  https://a.localhost./token file:///etc/passwd

hello=sha256:$(printf 'hello\n' | sha256sum | cut -d' ' -f1)
twice=sha256:$(printf 'hello\nhello\n' | sha256sum | cut -d' ' -f1)
table() {
  jq -nc --arg hello "$hello" --arg twice "$twice" "{version: 1, entries: [$2]}" >"table/$1"
}
table kinds '{name: "a/", type: "dir", mode: 16877}, {name: "a/.wh.b", type: "reg"}, {name: "c", type: "fifo"},
  {name: "a/l", type: "symlink", linkName: "../f"}, {name: "h", type: "hardlink", linkName: "f"},
  {name: "f", type: "reg", size: 6, digest: $hello, modtime: "2026-01-01T00:00:00.5+01:00"}'
table parts '{name: "f", type: "reg", size: 12, chunkSize: 5, digest: $twice},
  {name: "f", type: "chunk", chunkOffset: 5, innerOffset: 5},
  {name: "g", type: "reg", size: 6, digest: $hello, innerOffset: 6}, {name: "d/.wh..wh..opq", type: "reg"}'
