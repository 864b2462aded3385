#!/usr/bin/env bash
# Remakes testdata/demo: the heartbeat story as a bare git repository and an OCI image layout.
# Usage: make-demo.sh [FOLDER]; the folder is replaced.
#
# Uses git, GNU tar and umoci (Debian: git tar umoci). Dates, author and tar order are fixed, so that a second run
# with the same tools gives the same bytes. The commit ids and the uncompressed layers (diff ids) do not depend on
# the tools' versions; packs and gzip streams may.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
result=${1:-$here/demo}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
repo=$work/repo.git
image=$work/image
export LC_ALL=C TZ=UTC GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
umask 022

# --- the repository -----------------------------------------------------------------------------------------------

export GIT_AUTHOR_NAME="Dana Reyes" GIT_AUTHOR_EMAIL="dana@heartbeat.example"
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

# put PATH: writes standard input to PATH in the work tree.
put() {
  mkdir -p "$tree/$(dirname "$1")"
  cat >"$tree/$1"
}

# swap PATH OLD NEW: replaces a line that must exist once.
swap() {
  [ "$(grep -cxF -- "$2" "$tree/$1")" = 1 ] || { echo "make-demo: no single line \`$2\` in $1" >&2; exit 1; }
  OLD=$2 NEW=$3 awk '$0 == ENVIRON["OLD"] { print ENVIRON["NEW"]; next } { print }' "$tree/$1" >"$work/swapped"
  cat "$work/swapped" >"$tree/$1"
}

# commit DATE SUBJECT: commits the whole work tree.
commit() {
  git -C "$tree" add --all
  GIT_AUTHOR_DATE=$1 GIT_COMMITTER_DATE=$1 git -C "$tree" commit --quiet --no-gpg-sign --message "$2"
}

git init --quiet --initial-branch=main --template= "$tree"

put requirements.txt <<'EOF'
flask==3.0.3
google-cloud-firestore==2.16.0
gunicorn==22.0.0
EOF
put main.py <<'EOF'
"""Phase 3: loads the day's box scores and reports that it is alive."""

import os

from flask import Flask

from shared.monitoring.processor_heartbeat import ProcessorHeartbeat
from shared.storage.firestore import Documents

app = Flask(__name__)


@app.post("/process")
def process():
    heartbeat = ProcessorHeartbeat("phase3", Documents("heartbeats"))
    heartbeat.beat("running")
    heartbeat.beat("done")
    return {"status": "ok", "revision": os.environ.get("K_REVISION", "local")}
EOF
put shared/__init__.py </dev/null
put shared/storage/__init__.py </dev/null
put shared/storage/firestore.py <<'EOF'
"""A thin layer over Firestore: one collection, documents by id."""

from google.cloud import firestore


class Documents:
    """The documents of one collection."""

    def __init__(self, collection: str) -> None:
        self.collection = firestore.Client().collection(collection)

    def write(self, doc_id: str, fields: dict) -> None:
        """Creates the document, or merges `fields` into it."""
        self.collection.document(doc_id).set(fields, merge=True)
EOF
put shared/monitoring/__init__.py <<'EOF'
"""What the processors tell the dashboard."""
EOF
put shared/monitoring/processor_heartbeat.py <<'EOF'
"""Heartbeats: each processor says that it is alive, and the dashboard shows which one is not."""

from datetime import datetime, timezone


class ProcessorHeartbeat:
    """Writes one processor's state to the `heartbeats` collection."""

    def __init__(self, name, documents, run_id=None, run_date=None):
        self.name = name
        self.documents = documents
        self.run_id = run_id
        self.run_date = run_date

    @property
    def doc_id(self) -> str:
        return f"{self.name}_{self.run_id}_{self.run_date}"

    def beat(self, state: str) -> None:
        """Says that the processor is in `state` now."""
        now = datetime.now(timezone.utc)
        self.documents.write(self.doc_id, {"processor": self.name, "state": state, "at": now})
EOF
put README.md <<'EOF'
# phase3

Loads the day's box scores. `./deploy.sh` builds the image and deploys it to Cloud Run.
EOF
commit "2026-01-19T09:00:00+00:00" "Load the day's box scores"

put Dockerfile <<'EOF'
FROM python:3.12-slim
ENV PYTHONUNBUFFERED=1
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY shared/ ./shared/
COPY main.py .
ARG COMMIT_SHA
LABEL org.opencontainers.image.revision=$COMMIT_SHA commit-sha=$COMMIT_SHA
CMD ["gunicorn", "--bind", "0.0.0.0:8080", "main:app"]
EOF
put .dockerignore <<'EOF'
.git
.dockerignore
Dockerfile
README.md
deploy.sh
tests/
**/__pycache__
EOF
commit "2026-01-19T11:30:00+00:00" "Build a container image"

put tests/test_heartbeat.py <<'EOF'
from shared.monitoring.processor_heartbeat import ProcessorHeartbeat


class Memory(dict):
    def write(self, doc_id, fields):
        self.setdefault(doc_id, {}).update(fields)


def test_a_beat_is_written():
    documents = Memory()
    ProcessorHeartbeat("phase3", documents).beat("running")
    assert [fields["state"] for fields in documents.values()] == ["running"]
EOF
commit "2026-01-20T08:45:00+00:00" "Test that a beat is written"

put deploy.sh <<'EOF'
#!/bin/sh
# Builds the image and deploys it.
set -e
sha=$(git rev-parse HEAD)
image=us-west2-docker.pkg.dev/box-scores/services/phase3
docker build --build-arg COMMIT_SHA="$sha" --tag "$image:$sha" .
docker push "$image:$sha"
gcloud run deploy phase3 --image "$image:$sha" --labels "commit-sha=$sha"
EOF
chmod 755 "$tree/deploy.sh"
commit "2026-01-21T16:20:00+00:00" "Deploy with one command"

swap requirements.txt "google-cloud-firestore==2.16.0" "google-cloud-firestore==2.19.0"
commit "2026-01-22T10:05:00+00:00" "Take Firestore 2.19"

put shared/monitoring/alerts.py <<'EOF'
"""Which heartbeats are late."""

from datetime import datetime, timedelta

LATE_AFTER = timedelta(minutes=15)


def late(heartbeats: list[dict], now: datetime) -> list[str]:
    """The processors whose last beat is older than LATE_AFTER."""
    return sorted({beat["processor"] for beat in heartbeats if now - beat["at"] > LATE_AFTER})
EOF
commit "2026-01-23T13:10:00+00:00" "Say which heartbeats are late"

swap shared/storage/firestore.py '"""A thin layer over Firestore: one collection, documents by id."""' \
  '"""A thin layer over Firestore: one collection, documents by their id."""'
commit "2026-01-26T09:40:00+00:00" "Reword a docstring"
before_fix=$(git -C "$tree" rev-parse HEAD)

swap shared/monitoring/processor_heartbeat.py '        return f"{self.name}_{self.run_id}_{self.run_date}"' \
  '        # One document for each processor. With run_id and run_date, each beat before a run made a new
        # one ("phase3_None_None"), and the dashboard showed a processor that was alive as dead.
        return self.name'
put tests/test_doc_id.py <<'EOF'
from shared.monitoring.processor_heartbeat import ProcessorHeartbeat


def test_the_document_stays_the_same_from_run_to_run():
    first = ProcessorHeartbeat("phase3", {}, run_id=None, run_date=None)
    second = ProcessorHeartbeat("phase3", {}, run_id="r2", run_date="2026-01-28")
    assert first.doc_id == second.doc_id == "phase3"
EOF
commit "2026-01-28T15:25:00+00:00" "Fix doc_id: one heartbeat document for each processor"
fix=$(git -C "$tree" rev-parse HEAD)

put README.md <<'EOF'
# phase3

Loads the day's box scores. `./deploy.sh` builds the image and deploys it to Cloud Run.
The dashboard reads the `heartbeats` collection: one document for each processor.
EOF
commit "2026-01-29T08:15:00+00:00" "Say what the dashboard reads"

swap tests/test_heartbeat.py '    ProcessorHeartbeat("phase3", documents).beat("running")' \
  '    ProcessorHeartbeat("phase3", documents, run_id="r1").beat("running")'
commit "2026-01-30T10:55:00+00:00" "Test with a run id"

swap main.py '    heartbeat.beat("running")' '    heartbeat.beat("starting")
    heartbeat.beat("running")'
commit "2026-01-31T13:50:00+00:00" "Beat before the work starts"
head=$(git -C "$tree" rev-parse HEAD)

# A bare repository that survives in a checkout of another one: a loose refs/heads/main keeps the folder that git
# asks for, there are no hooks and no empty folders, and one pack holds all objects.
git init --quiet --bare --initial-branch=main --template= "$repo"
git -C "$tree" push --quiet "$repo" main
git -C "$repo" -c pack.threads=1 -c pack.writeReverseIndex=false -c repack.writeBitmaps=false repack -a -d -f --quiet
rm -rf "$repo/info" "$repo/objects/info"
printf '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n' >"$repo/config"
find "$repo" -type d -empty -delete

# --- the image ----------------------------------------------------------------------------------------------------

# layer NAME DATE: packs stage/NAME as a layer tar, every time stamp at DATE.
layer() {
  tar --create --file "$work/$1.tar" --directory "$work/stage/$1" --format=ustar --sort=name --mtime="$2" \
    --owner=0 --group=0 --numeric-owner --no-recursion --files-from <(cd "$work/stage/$1" && find . -mindepth 1 -printf '%P\n')
}

# stage_git NAME COMMIT PATH…: the files of a commit, under app/.
stage_git() {
  local name=$1 revision=$2
  shift 2
  mkdir -p "$work/stage/$name/app"
  git -C "$tree" archive --format=tar "$revision" "$@" | tar --extract --directory "$work/stage/$name/app" --no-same-permissions
}

# stage_file NAME PATH: standard input as a file of a layer.
stage_file() {
  mkdir -p "$work/stage/$1/$(dirname "$2")"
  cat >"$work/stage/$1/$2"
}

# The base and the installed packages are stand-ins: what matters here lies in /app.
stage_file base etc/os-release <<'EOF'
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
ID=debian
VERSION_ID="12"
EOF
stage_file base etc/passwd <<'EOF'
root:x:0:0:root:/root:/bin/bash
EOF
packages=usr/local/lib/python3.12/site-packages
stage_file pip "$packages/gunicorn/__init__.py" <<'EOF'
version_info = (22, 0, 0)
EOF
stage_file pip "$packages/gunicorn-22.0.0.dist-info/METADATA" <<'EOF'
Metadata-Version: 2.1
Name: gunicorn
Version: 22.0.0
EOF
stage_file pip usr/local/bin/gunicorn <<'EOF'
#!/usr/local/bin/python3.12
from gunicorn.app.wsgiapp import run
run()
EOF
chmod 755 "$work/stage/pip/usr/local/bin/gunicorn"
mkdir -p "$work/stage/workdir/app"
stage_git requirements "$head" requirements.txt
stage_git shared-stale "$before_fix" shared
stage_git shared-good "$head" shared
stage_git main "$head" main.py

old_build=2026-01-27T09:10:00Z
new_build=2026-01-31T14:02:11Z
good_build=2026-01-31T17:30:45Z
layer base 2026-01-13T00:00:00Z
layer pip "$old_build"
layer workdir "$old_build"
layer requirements 2026-01-22T10:05:00Z
layer shared-stale 2026-01-26T09:40:00Z
layer shared-good 2026-01-31T13:50:00Z
layer main 2026-01-31T13:50:00Z

# add TAG NAME DATE CREATED_BY COMMENT: adds a layer with its history entry.
add() {
  umoci raw add-layer --image "$image:$1" --history.created "$3" --history.created_by "$4" --history.comment "$5" \
    "$work/$2.tar"
}

# note TAG DATE CREATED_BY COMMENT OPTION…: changes the configuration, with an empty_layer history entry.
note() {
  local tag=$1 date=$2 step=$3 comment=$4
  shift 4
  umoci config --image "$image:$tag" --created "$date" --history.created "$date" --history.created_by "$step" \
    --history.comment "$comment" "$@"
}

# build TAG SHARED_LAYER SHARED_DATE DATE: what `docker build` would make of the Dockerfile.
build() {
  local tag=$1 shared=$2 shared_date=$3 date=$4
  local kit=buildkit.dockerfile.v0 base=2026-01-13T00:00:00Z
  local path="PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
  umoci new --image "$image:$tag"
  umoci config --image "$image:$tag" --no-history --architecture amd64 --os linux --created "$date" --clear config.env
  add "$tag" base "$base" "# debian.sh --arch 'amd64' out/ 'bookworm' '@1768262400'" "debuerreotype 0.17"
  note "$tag" "$base" "ENV $path" "$kit" --config.env "$path"
  note "$tag" "$base" 'CMD ["python3"]' "$kit" --config.cmd python3
  note "$tag" "$old_build" "ENV PYTHONUNBUFFERED=1" "$kit" --config.env PYTHONUNBUFFERED=1
  umoci config --image "$image:$tag" --no-history --config.workingdir /app
  add "$tag" workdir "$old_build" "WORKDIR /app" "$kit"
  add "$tag" requirements "$old_build" "COPY requirements.txt . # buildkit" "$kit"
  add "$tag" pip "$old_build" "RUN /bin/sh -c pip install --no-cache-dir -r requirements.txt # buildkit" "$kit"
  add "$tag" "$shared" "$shared_date" "COPY shared/ ./shared/ # buildkit" "$kit"
  add "$tag" main "$date" "COPY main.py . # buildkit" "$kit"
  note "$tag" "$date" "ARG COMMIT_SHA=$head" "$kit"
  note "$tag" "$date" "LABEL org.opencontainers.image.revision=$head commit-sha=$head" "$kit" \
    --config.label "org.opencontainers.image.revision=$head" --config.label "commit-sha=$head"
  note "$tag" "$date" 'CMD ["gunicorn" "--bind" "0.0.0.0:8080" "main:app"]' "$kit" \
    --config.cmd gunicorn --config.cmd --bind --config.cmd 0.0.0.0:8080 --config.cmd main:app
}

umoci init --layout "$image"
build phase3 shared-stale "$old_build" "$new_build"
build good shared-good "$good_build" "$good_build"
umoci gc --layout "$image"

# --- the result ---------------------------------------------------------------------------------------------------

rm -rf "$result"
mkdir -p "$result"
cp -R "$repo" "$result/repo.git"
cp -R "$image" "$result/image"
find "$result" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
echo "HEAD $head, fix $fix, the stale layer is from $before_fix"
