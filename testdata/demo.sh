#!/usr/bin/env bash
# Shows what raftctl says of a real etcd log, and which commands were run:
# demo.sh RAFTCTL ARCHIVE
set -euo pipefail
raftctl=$1 archive=$2
run() {
  printf '\n$ raftctl %s\n' "$*"
  "$raftctl" "$@"
}
run wal stat "$archive"
run wal dump "$archive" --limit 12
run wal dump "$archive" --op delete_range --last 5
run wal verify "$archive"
