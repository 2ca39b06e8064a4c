#!/bin/sh
# Lay this image's interpreter and packages out on its host, where the engine
# finds what it mounts into sandboxes: sh lay_out.sh HOST_FOLDER STATE_FOLDER
#
# HOST_FOLDER is the host's /opt/quasar, mounted; STATE_FOLDER becomes the
# workers' own. The same image again changes nothing, another replaces it.
set -eu
extra=$(basename "$(dirname "$(dirname "$(command -v quasar)")")")
files=$1/$extra
stamp=$(cat "/opt/quasar/$extra"/lib/python3*/site-packages/*.dist-info/RECORD \
  | sha256sum)
if [ "$(cat "$files.stamp" 2>/dev/null)" != "$stamp" ]; then
  rm -rf "$files.stamp" "$files" "$files.part"
  cp -a "/opt/quasar/$extra" "$files.part"
  mv "$files.part" "$files"
  echo "$stamp" > "$files.stamp"
fi
chown 10001:10001 "$2"
chmod 700 "$2"
echo "$files is laid out"
