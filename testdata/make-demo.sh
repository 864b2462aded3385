#!/usr/bin/env bash
# Remakes testdata/demo: the heartbeat story as a bare git repository and an OCI image layout.
# Usage: make-demo.sh [FOLDER]; the folder is replaced.
#
# Uses git, GNU tar, umoci and jq (Debian: git tar umoci jq). Dates, author and tar order are fixed, so that a second run
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
# Two more services: what they run is told apart without running it, so that the interpreter may be one that only ends.
printf '%b' '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\002\000>\000\001\000\000\000x\000@\000\000'\
'\000\000\000@\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000@\0008\000'\
'\001\000\000\000\000\000\000\000\001\000\000\000\005\000\000\000\000\000\000\000\000\000\000\000\000'\
'\000@\000\000\000\000\000\000\000@\000\000\000\000\000\201\000\000\000\000\000\000\000\201\000\000'\
'\000\000\000\000\000\000\020\000\000\000\000\000\000\270<\000\000\0001\377\017\005' |
  stage_file python usr/local/bin/python3.12
chmod 755 "$work/stage/python/usr/local/bin/python3.12"
for name in flask-3.0.3 google_cloud_firestore-2.19.0; do
  printf 'Metadata-Version: 2.1\nName: %s\nVersion: %s\n' "${name%-*}" "${name#*-}" |
    stage_file others "$packages/$name.dist-info/METADATA"
done
mkdir -p "$work/stage/workdir/app"
stage_git requirements "$head" requirements.txt
stage_git shared-stale "$before_fix" shared
stage_git shared-good "$head" shared
stage_git main "$head" main.py
stage_git main-old "$before_fix" main.py

old_build=2026-01-27T09:10:00Z
new_build=2026-01-31T14:02:11Z
good_build=2026-01-31T17:30:45Z
layer base 2026-01-13T00:00:00Z
layer pip "$old_build"
layer python 2026-01-13T00:00:00Z
layer others "$old_build"
layer workdir "$old_build"
layer requirements 2026-01-22T10:05:00Z
layer shared-stale 2026-01-26T09:40:00Z
layer shared-good 2026-01-31T13:50:00Z
layer main 2026-01-31T13:50:00Z
layer main-old 2026-01-19T09:00:00Z

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

# build TAG SHARED_LAYER SHARED_DATE DATE [PACKAGES [PORT]]: what `docker build` would make of the Dockerfile, of a base
# with Python and these layers of packages where they are given. $commit and $main are what is built.
build() {
  local tag=$1 shared=$2 shared_date=$3 date=$4 packages=${5-} port=${6-8080} name
  local kit=buildkit.dockerfile.v0 base=2026-01-13T00:00:00Z
  local path="PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
  umoci new --image "$image:$tag"
  umoci config --image "$image:$tag" --no-history --architecture amd64 --os linux --created "$date" --clear config.env
  add "$tag" base "$base" "# debian.sh --arch 'amd64' out/ 'bookworm' '@1768262400'" "debuerreotype 0.17"
  note "$tag" "$base" "ENV $path" "$kit" --config.env "$path"
  [ -z "$packages" ] || add "$tag" python "$base" "RUN /bin/sh -c make install # buildkit" "$kit"
  note "$tag" "$base" 'CMD ["python3"]' "$kit" --config.cmd python3
  note "$tag" "$old_build" "ENV PYTHONUNBUFFERED=1" "$kit" --config.env PYTHONUNBUFFERED=1
  umoci config --image "$image:$tag" --no-history --config.workingdir /app
  add "$tag" workdir "$old_build" "WORKDIR /app" "$kit"
  add "$tag" requirements "$old_build" "COPY requirements.txt . # buildkit" "$kit"
  for name in ${packages:-pip}; do
    add "$tag" "$name" "$old_build" "RUN /bin/sh -c pip install --no-cache-dir -r requirements.txt # buildkit" "$kit"
  done
  add "$tag" "$shared" "$shared_date" "COPY shared/ ./shared/ # buildkit" "$kit"
  add "$tag" "$main" "$date" "COPY main.py . # buildkit" "$kit"
  note "$tag" "$date" "ARG COMMIT_SHA=$commit" "$kit"
  note "$tag" "$date" "LABEL org.opencontainers.image.revision=$commit commit-sha=$commit" "$kit" \
    --config.label "org.opencontainers.image.revision=$commit" --config.label "commit-sha=$commit"
  note "$tag" "$date" "CMD [\"gunicorn\" \"--bind\" \"0.0.0.0:$port\" \"main:app\"]" "$kit" \
    --config.cmd gunicorn --config.cmd --bind --config.cmd "0.0.0.0:$port" --config.cmd main:app
}

umoci init --layout "$image"
commit=$head main=main
build phase3 shared-stale "$old_build" "$new_build"
build good shared-good "$good_build" "$good_build"
build phase2 shared-good "$good_build" "$good_build" others
build scrapers shared-good "$good_build" "$good_build" "others pip" 5000
commit=$before_fix main=main-old
build old shared-stale "$old_build" "$old_build"
umoci gc --layout "$image"

# --- Cloud Run ----------------------------------------------------------------------------------------------------

# Four services as `gcloud run services list --format json` and `gcloud run revisions list --format json` print them.
cloud_run=$work/cloud-run.json
services=us-west2-docker.pkg.dev/box-scores/services

# image_of TAG: the digest of an image.
image_of() {
  jq --raw-output --arg tag "$1" \
    '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag).digest' "$image/index.json"
}

# revision SERVICE NUMBER COMMIT TAG DATE [REASON MESSAGE]: a revision that runs the image of TAG, and came up or did not.
revision() {
  jq --null-input --arg service "$1" --arg name "$1-$2" --arg image "$services/$1@$(image_of "$4")" --arg created "$5" \
    --arg reason "${6-}" --arg message "${7-}" --arg sha "$3" '{
      apiVersion: "serving.knative.dev/v1", kind: "Revision",
      metadata: { name: $name, creationTimestamp: $created, generation: 1,
        labels: { "serving.knative.dev/service": $service, "commit-sha": $sha } },
      spec: { containers: [{ name: "app", image: $image, ports: [{ containerPort: 8080 }] }] },
      status: { imageDigest: $image, conditions: [{ type: "Ready", status: (if $reason == "" then "True" else "False" end) }
        + (if $reason == "" then {} else { reason: $reason, message: $message } end)] } }'
}

# service NAME CREATED READY TRAFFIC_TO: a service whose traffic goes to a revision, or with the newest one that is ready.
service() {
  jq --null-input --arg name "$1" --arg created "$1-$2" --arg ready "$3" --arg to "$4" --arg sha "$head" '
    ([{ latestRevision: ($to == ""), percent: 100 } + (if $to == "" then {} else { revisionName: $to } end)]) as $spec |
    (if $ready == "" then [] else [$spec[0] + { revisionName: (if $to == "" then $ready else $to end) }] end) as $status |
    { apiVersion: "serving.knative.dev/v1", kind: "Service",
      metadata: { name: $name, generation: 12, labels: { "cloud.googleapis.com/location": "us-west2", "commit-sha": $sha } },
      spec: { template: { spec: { containers: [] } }, traffic: $spec },
      status: ({ observedGeneration: 12, latestCreatedRevisionName: $created, traffic: $status,
        conditions: [{ type: "Ready", status: (if $created == $ready then "True" else "False" end) }] }
        + (if $ready == "" then {} else { latestReadyRevisionName: $ready } end)) }'
}

unhealthy="The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment variable."
{
  service phase2 00012-xof phase2-00011-kas ""
  revision phase2 00011-kas "$before_fix" old 2026-01-27T10:00:00.000000Z
  revision phase2 00012-xof "$head" phase2 2026-01-31T18:02:00.000000Z HealthCheckContainerError "$unhealthy"
  service phase3 00042-bip phase3-00042-bip ""
  revision phase3 00041-rud "$before_fix" old 2026-01-27T10:05:00.000000Z
  revision phase3 00042-bip "$head" phase3 2026-01-31T14:05:00.000000Z
  service phase4 00007-lom phase4-00007-lom phase4-00006-tev
  revision phase4 00006-tev "$before_fix" old 2026-01-27T10:10:00.000000Z
  revision phase4 00007-lom "$head" good 2026-01-31T18:06:00.000000Z
  service scrapers 00001-wis "" ""
  revision scrapers 00001-wis "$head" scrapers 2026-01-31T18:09:00.000000Z HealthCheckContainerError "$unhealthy"
} | jq --slurp . >"$cloud_run"

cat >"$work/shipproof.toml" <<EOF
project = "box-scores"
region = "us-west2"

# The registry cannot be reached from everywhere; the images are looked up in this copy, by their digests.
[mirrors]
"$services/phase2" = "oci:testdata/demo/image"
"$services/phase3" = "oci:testdata/demo/image"
"$services/phase4" = "oci:testdata/demo/image"
"$services/scrapers" = "oci:testdata/demo/image"

[services.phase2]
image = "$services/phase2"

[services.phase3]
image = "$services/phase3"
files = ["processor_heartbeat.py"]

[services.phase4]
image = "$services/phase4"

[services.scrapers]
image = "$services/scrapers"
EOF

# --- the result ---------------------------------------------------------------------------------------------------

rm -rf "$result"
mkdir -p "$result"
cp -R "$repo" "$result/repo.git"
cp -R "$image" "$result/image"
cp "$cloud_run" "$work/shipproof.toml" "$result"
find "$result" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
echo "HEAD $head, fix $fix, the stale layer is from $before_fix"
