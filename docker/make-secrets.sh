#!/usr/bin/env bash
# Writes the secrets docker-compose.yml mounts, with a fresh random password; refuses to replace those that are there.
set -euo pipefail
cd "$(dirname "$0")"

if [[ -e secrets ]]; then
  echo "docker/secrets is already there: PostgreSQL keeps the password of its first start." >&2
  exit 1
fi
# The folder shuts out other users of this machine; the files must be readable by the containers' users.
mkdir -m 700 secrets
password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
printf '%s' "$password" >secrets/postgres_password
printf 'postgres://tributary:%s@postgres:5432/tributary' "$password" >secrets/database_url
chmod 644 secrets/*
