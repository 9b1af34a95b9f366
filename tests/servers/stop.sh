#!/usr/bin/env bash
# Ends the servers that start.sh DIR started, by process id, and no other process.
#   stop.sh DIR
set -euo pipefail

[ $# = 1 ] || { echo "usage: stop.sh DIR" >&2; exit 2; }
[ -e "$1/pids" ] || exit 0

while read -r name pid started; do
  # the same id with another start time is somebody else's process
  if [ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20)" = "$started" ]; then
    # SIGKILL: SeaweedFS takes 25 s to answer SIGTERM, and nothing here is worth saving
    kill -KILL "$pid"
    echo "servers: stopped $name" >&2
  fi
done <"$1/pids"
if [ -e "$1/sockets" ]; then
  while read -r socket; do rm -f "$socket"; done <"$1/sockets"
fi
rm -rf "$1/pids" "$1/sockets" "$1/env" "$1/env.new" "$1/seaweedfs"
