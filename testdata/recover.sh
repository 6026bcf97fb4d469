#!/usr/bin/env bash
# Brings back a member whose files are damaged, in a way that nobody knows, and starts it:
# recover.sh RAFTCTL DIR [DONOR…] -- ETCD [FLAG…]
#
# What it does depends on exit statuses alone. It ends as the etcd that runs on DIR, or with what would be lost on
# standard output, DIR as it was, and status 5; with another status where raftctl could not tell.
set -euo pipefail
raftctl=$1 dir=$2
shift 2
from=()
while [ "$1" != -- ]; do
  from+=(--from "$1")
  shift
done
shift

plan=$(mktemp)
trap 'rm -f "$plan"' EXIT
status=0
"$raftctl" wal repair "$dir" "${from[@]}" --plan "$plan" || status=$?
case $status in
0) ;; # there is nothing to do
1) "$raftctl" wal repair --apply "$plan" --in-place --yes ;;
*) exit "$status" ;;
esac
rm -f "$plan"
exec "$@"
