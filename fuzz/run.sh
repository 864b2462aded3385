#!/usr/bin/env bash
# run.sh [--dev] SECONDS [TARGET…]: runs each target, or all of them, for that long over its seeds and what earlier runs
# found; with --dev in a build that is quickly made and slowly run. Says in one line a target how many inputs it ran. Ends
# with the first crash, and with a target that ran no inputs.
set -euo pipefail
cd "$(dirname "$0")"

profile=()
if [ "${1-}" = --dev ]; then
  profile=(--dev)
  shift
fi
if ! [[ "${1-}" =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: $0 [--dev] SECONDS [TARGET…]" >&2
  exit 2
fi
if ! cargo fuzz --version >/dev/null 2>&1; then
  echo "$0: cargo-fuzz is not installed (cargo install cargo-fuzz --locked)" >&2
  exit 2
fi
seconds=$1
shift
mapfile -t targets < <(cargo fuzz list)
if [ $# -gt 0 ]; then targets=("$@"); fi
if [ ${#targets[@]} = 0 ]; then
  echo "$0: cargo fuzz lists no targets" >&2
  exit 1
fi

# Bytes of the longest input. Tars are long because of their blocks; more than that finds nothing new, only later.
longest() {
  case $1 in
    tar) echo 24576 ;;
    decompress) echo 8192 ;;
    *) echo 4096 ;;
  esac
}

# The last number that libFuzzer's output has after a word.
number_after() {
  sed -n "s/.*$1 *\([0-9][0-9]*\).*/\1/p" "$log" | tail -n 1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for target in "${targets[@]}"; do
  mkdir -p "corpus/$target"
  if ! cargo fuzz run "${profile[@]}" --sanitizer none "$target" "corpus/$target" "seeds/$target" -- "-max_total_time=$seconds" \
    "-max_len=$(longest "$target")" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 >"$log" 2>&1; then
    cat "$log" >&2
    echo "$target: FAILED" >&2
    exit 1
  fi
  inputs=$(number_after stat::number_of_executed_units:)
  seeds=$(find "seeds/$target" -type f | wc -l)
  if [ "$seeds" = 0 ] || [ "${inputs:-0}" -le "$seeds" ]; then
    cat "$log" >&2
    echo "$target: ran ${inputs:-no} inputs over $seeds seeds" >&2
    exit 1
  fi
  echo "$target: $inputs inputs in $seconds s, coverage $(number_after cov:)"
done
