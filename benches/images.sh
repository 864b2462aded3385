#!/usr/bin/env bash
# Makes the images that side_by_side.rs reads, without any account: benches/images.sh FOLDER
#
#   big:1      8 layers, 1.6 GB uncompressed and 0.6 GB as gzip: a Debian base, configuration, two layers of Python
#              wheels, and an application in four layers (requirements, shared code, a service, its main file)
#   big:2      the same layers with another label, as a tag that moved
#   second:1   another service on the same base, wheels and shared code: only the two top layers differ
#   small:1    every tenth file of each of big's layers, to see how cost grows
#   chunked:1  big as zstd:chunked
#
# FOLDER/repo is the git repository whose HEAD holds the application of big and second, FOLDER/repo-tenth that of small;
# FOLDER/registry.yml is the configuration of the registry that serves FOLDER/registry. What is there already is kept,
# so an interrupted run goes on; delete a part to have it made anew. The wheels and the application are the same on each
# run, the base is what the Debian mirror holds that day. Needs root, 12 GB of disk, and: mmdebstrap python3 (with pip)
# git buildah podman docker-registry curl.
set -euo pipefail

readonly address=127.0.0.1:5057
readonly suite=bookworm
# The sum of these and of what they need is about 900 MB.
readonly debian=(ca-certificates curl git build-essential cmake python3-dev python3-pip default-jre-headless
  postgresql-client)
readonly wheels_a=(numpy==2.2.6 pandas==2.2.3 scipy==1.15.3 scikit-learn==1.6.1)
readonly wheels_b=(pyarrow==20.0.0 polars==1.30.0 opencv-python-headless==4.11.0.86 matplotlib==3.10.3)
# Of all files and commits that are made here: 2024-01-01.
readonly timestamp=1704067200
readonly packages=/usr/local/lib/python3.11/dist-packages

cd "${1:?usage: benches/images.sh FOLDER}"
folder=$PWD
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
# Builders keep their images here too, and nothing of the user's own is touched.
storage=(--root "$folder/storage" --runroot "$folder/run")

say() { printf '%5d s  %s\n' "$SECONDS" "$*"; }

# once PATH COMMAND...: runs the command, which makes PATH.new, unless PATH is there.
once() {
  local path=$1
  shift
  [ ! -e "$path" ] || return 0
  say "making $path"
  rm -rf "$path.new"
  "$@" "$path.new"
  mv "$path.new" "$path"
}

base() {
  # The mode is named by hand because without a terminal mmdebstrap guesses by what the user is.
  SOURCE_DATE_EPOCH=$timestamp mmdebstrap --quiet --mode=root --variant=minbase \
    --include="${debian[*]}" "$suite" - >"$1"
}

wheels() {
  local target=${*: -1}
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-compile --no-deps \
    --only-binary=:all: --python-version 3.11 --platform manylinux2014_x86_64 --platform manylinux_2_28_x86_64 \
    --target "$target" "${@:1:$#-1}"
}

# A repository of 6,000 Python files, about 5 kB each, and a few commits.
repository() {
  git init --quiet --initial-branch=main "$1"
  python3 - "$1" <<'PYTHON'
import pathlib, random, sys

ROOT = pathlib.Path(sys.argv[1])
WORDS = "order invoice ledger queue token batch stream retry cursor schema bucket parser worker event record".split()


def function(random):
    a, b, c = (random.choice(WORDS) for _ in range(3))
    number = random.randrange(10_000)
    return (
        f"def {a}_{b}_{number}({c}, limit={random.randrange(500)}):\n"
        f'    """Return the {a} of each {b} in {c}, at most limit of them."""\n'
        f"    found = [item for item in {c} if item.{b} == {number}]\n"
        f"    return found[:limit] or None  # {random.getrandbits(64):016x}\n\n\n"
    )


def module(path, random):
    path = ROOT / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("import logging\n\n\n" + "".join(function(random) for _ in range(random.randrange(8, 32))))


for folder, files in [("shared", 3000), ("services/orders", 1500), ("services/billing", 1500)]:
    for number in range(files):
        module(f"{folder}/part{number // 60:02}/module_{number:04}.py", random.Random(f"{folder} {number}"))
for service in ("orders", "billing"):
    module(f"apps/{service}/main.py", random.Random(service))
(ROOT / "requirements.txt").write_text("numpy\npandas\nscipy\nscikit-learn\npyarrow\npolars\n")
(ROOT / "config").mkdir()
for number in range(20):
    (ROOT / f"config/{number:02}.conf").write_text(f"workers = {number}\n")
PYTHON
  git -C "$1" add --all
  commit "$1" "All code"
  printf '\n# Reviewed.\n' >>"$1/shared/part00/module_0000.py"
  git -C "$1" add --all
  commit "$1" "Review"
}

commit() {
  GIT_AUTHOR_DATE="$timestamp +0000" GIT_COMMITTER_DATE="$timestamp +0000" \
    git -C "$1" -c user.name=Bench -c user.email=bench@example.com commit --quiet --message="$2"
}

# tenth FROM TO: every tenth file of a folder, with its directories.
tenth() {
  mkdir "$2"
  (cd "$1" && find . -type f -o -type l | LC_ALL=C sort | awk 'NR % 10 == 1') |
    tar --create --directory="$1" --no-recursion --files-from=- | tar --extract --directory="$2"
}

base_files() {
  mkdir "$1"
  tar --extract --directory="$1" --exclude='./dev/*' --file=base.tar
}

# The application has to hold what the steps copy by name, and its files are in git as well.
repository_tenth() {
  mkdir -p "$1/services"
  cp -r repo/apps repo/config repo/requirements.txt "$1"
  tenth repo/shared "$1/shared"
  tenth repo/services/orders "$1/services/orders"
  git init --quiet --initial-branch=main "$1"
  git -C "$1" add --all
  commit "$1" "A tenth of the code"
}

# steps SERVICE BASE WHEELS CODE: the steps of an image; the base is a tar or a folder.
steps() {
  cat <<END
FROM scratch
ADD $2 /
COPY $4/config /etc/app/
COPY $3-a $packages/
COPY $3-b $packages/
COPY $4/requirements.txt /app/
COPY $4/shared /app/shared/
COPY $4/services/$1 /app/service/
COPY $4/apps/$1/main.py /app/
CMD ["python3", "/app/main.py"]
END
}

# is_pushed NAME:TAG
is_pushed() {
  [ -e "registry/docker/registry/v2/repositories/${1%:*}/_manifests/tags/${1#*:}" ]
}

# image NAME:TAG SERVICE BASE WHEELS CODE: builds an image with one layer a step, and pushes it.
image() {
  ! is_pushed "$1" || return 0
  say "building $1"
  steps "${@:2}" >recipe
  printf 'LABEL tag="%s"\n' "$1" >>recipe
  buildah "${storage[@]}" bud --quiet --layers --timestamp "$timestamp" --format oci --tag "$address/$1" --file recipe \
    --ignorefile /dev/null . >/dev/null
  say "pushing $1"
  buildah "${storage[@]}" push --quiet --tls-verify=false "$address/$1" "docker://$address/$1"
}

# podman pushes the gzip layers that its cache says are in the registry already, so it gets an empty cache.
chunked() {
  ! is_pushed chunked:1 || return 0
  say "pushing chunked:1, which takes some minutes"
  mkdir -p /var/lib/containers/cache
  unshare --mount bash -c 'mount -t tmpfs none /var/lib/containers/cache && exec "$@"' - \
    podman "${storage[@]}" push --quiet --tls-verify=false --format oci --compression-format zstd:chunked \
    "$address/big:1" "docker://$address/chunked:1"
}

serve() {
  cat >registry.yml <<END
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $folder/registry}, delete: {enabled: true}}
http: {addr: "$address"}
END
  docker-registry serve registry.yml >registry.log 2>&1 &
  trap 'kill "$!"' EXIT
  curl --silent --fail --output /dev/null --retry 50 --retry-delay 1 --retry-connrefused "http://$address/v2/"
}

once base.tar base
once wheels-a wheels "${wheels_a[@]}"
once wheels-b wheels "${wheels_b[@]}"
once repo repository
once base base_files
once base-tenth tenth base
once wheels-tenth-a tenth wheels-a
once wheels-tenth-b tenth wheels-b
once repo-tenth repository_tenth
serve
image big:1 orders base.tar wheels repo
image big:2 orders base.tar wheels repo
image second:1 billing base.tar wheels repo
image small:1 orders base-tenth wheels-tenth repo-tenth
chunked
say "done: 'docker-registry serve $folder/registry.yml' serves them at $address"
