#!/usr/bin/env bash
# Several nodes on trial: three edges, two workers and a web node over one PostgreSQL and a Redis Cluster of six, all on
# this machine and all its own, under load; one of each is killed in the middle. What was answered must be what is stored.
#
#   scripts/trial.sh [PROGRAM]      PROGRAM: the tributary to try [default: target/debug/tributary, built first]
#   RATE=500 FOR_SECONDS=20         clicks a second, and for how long
#
# Exits with 1 if the counts differ. Installs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

for program in python3 redis-server redis-cli; do
  if ! command -v "$program" >/dev/null; then
    echo "trial: $program is missing; scripts/install.sh installs it" >&2
    exit 1
  fi
done
postgres=$(scripts/find-postgres.sh)
tributary=${1:-}
if [[ -z $tributary ]]; then
  cargo build --locked --quiet
  tributary=target/debug/tributary
fi
exec python3 scripts/trial.py "$(realpath "$tributary")" "$postgres"
