#!/bin/sh
# What pip cannot bring to a service: sh system.sh EXTRA
#
# Debian's packages are installed where apt-get is; whatever is missing after
# that ends the build.
set -eu

case "$1" in
  api)
    packages="ca-certificates postgresql-client tzdata"
    programs="pg_dump pg_restore" ;;
  weight-setter)
    packages="ca-certificates tzdata"
    programs="" ;;
  benchmark-worker | verifier-worker | miner-agent)
    packages="bubblewrap ca-certificates gcc git libc6-dev tzdata"
    programs="bwrap gcc git setpriv" ;;
  *)
    echo "there is no extra called '$1' with an image" >&2
    exit 1 ;;
esac

if command -v apt-get >/dev/null; then
  apt-get -qq update
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends $packages
  rm -rf /var/lib/apt/lists/*
fi

for each in $programs; do
  "$each" --version >/dev/null || {
    echo "this base image has neither apt-get nor a working $each" >&2
    exit 1
  }
done
test -e /usr/share/zoneinfo/UTC || {
  echo "this base image knows no time zones" >&2
  exit 1
}
