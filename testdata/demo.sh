#!/usr/bin/env bash
# Shows what raftctl says of a real etcd log, and of one with a flipped bit, and which commands were run:
# demo.sh RAFTCTL ARCHIVE DAMAGED
set -euo pipefail
raftctl=$1 archive=$2 damaged=$3
run() {
  printf '\n$ raftctl %s\n' "$*"
  "$raftctl" "$@"
}
run wal stat "$archive"
run wal dump "$archive" --limit 12
run wal dump "$archive" --op delete_range --last 5
run wal verify "$archive"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
run wal repair "$damaged" || [ $? -eq 1 ] # there is something to do
run wal repair "$damaged" --output "$scratch/repaired"
run doctor "$scratch/repaired"
