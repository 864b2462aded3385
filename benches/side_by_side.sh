# shellcheck shell=bash
# What the scripts in side_by_side.rs call. They run in an empty folder of their own, and are told by the environment
# where things are: HOST, REPO, SHIPPROOF, KEPT (a folder that lasts through the rounds of a case) and FILE.
set -euo pipefail

verify() {
  "$SHIPPROOF" verify "$HOST/$1" --quiet --repo "$REPO" --map /app/shared=shared --map "/app/service=services/$2" \
    --map "/app/main.py=apps/$2/main.py" --map /app/requirements.txt=requirements.txt
}
inflate() {
  local accept='Accept: application/vnd.oci.image.manifest.v1+json'
  curl -sf -H "$accept" "http://$HOST/v2/$1/manifests/1" | jq -r '.layers[].digest' | while read -r digest; do
    curl -sf "http://$HOST/v2/$1/blobs/$digest" | igzip -dc >/dev/null
  done
}
copy() { skopeo --insecure-policy copy --quiet --src-tls-verify=false "docker://$HOST/$1:1" "oci:layout:$1"; }
unpack() { copy "$1" && umoci unpack --image "layout:$1" "bundle-$1" >log 2>&1; }
pod() { podman --root "$PWD/store" --runroot "$PWD/run" "$@"; }
pull() { pod pull --quiet --tls-verify=false "$HOST/$1:1" >log; }
hash_all() { find "$1" -type f | git hash-object --no-filters --stdin-paths >hashes; }
hash_mounted() {
  hash_all "$(pod image mount "$HOST/$1:1")"
  pod image unmount --all >log
}
export_all() {
  mkdir root
  crane export --insecure "$HOST/$1:1" - | tar x -C root
}
regctl_http() { regctl registry set --tls disabled "$HOST"; }
