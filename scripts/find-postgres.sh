#!/usr/bin/env bash
# Prints the folder with the server programs of the newest PostgreSQL on this machine, 15 or later.
set -euo pipefail
shopt -s nullglob

newest=14
folder=''
for initdb in "$(command -v initdb || true)" /usr/lib/postgresql/*/bin/initdb /opt/homebrew/opt/postgresql@*/bin/initdb; do
  here=$(dirname "$initdb")
  [[ -x $here/initdb && -x $here/pg_ctl && -x $here/postgres ]] || continue
  if [[ $("$initdb" --version) =~ ([0-9]+) ]] && ((BASH_REMATCH[1] > newest)); then
    newest=${BASH_REMATCH[1]}
    folder=$here
  fi
done

if [[ -z $folder ]]; then
  echo "No PostgreSQL 15 or later found: run scripts/install.sh, or put its server programs on PATH." >&2
  exit 1
fi
echo "$folder"
