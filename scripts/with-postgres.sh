#!/usr/bin/env bash
# Runs a command beside a private, throw-away PostgreSQL, whose address it finds in TRIBUTARY_TEST_POSTGRES.
#
#   scripts/with-postgres.sh cargo test
#   DURABLE=1 TMPDIR=/var/tmp scripts/with-postgres.sh benches/run.sh …    commits are synced, as in production
#
# The exit code is the command's. The command has no terminal to read from; a pipe on stdin reaches it.
set -euo pipefail

if [[ $# -eq 0 ]]; then
  echo "usage: [DURABLE=1] $0 COMMAND [ARGUMENT…]" >&2
  exit 2
fi

programs=$("$(dirname "$0")/find-postgres.sh")
folder=''
command_pid=''
server_pid=''

# PostgreSQL refuses to run as root: then its user does. Leaves a working directory that user may not enter.
as_owner() (
  cd "$folder"
  if [[ $EUID -ne 0 ]]; then
    "$@"
  elif command -v runuser >/dev/null; then
    runuser -u postgres -- "$@"
  else
    # shellcheck disable=SC2016 # the inner shell expands these
    su -s /bin/sh postgres -c 'exec "$0" "$@"' -- "$@"
  fi
)

# The command runs in a process group of its own, so that what it started ends with it.
end_command() {
  [[ -n $command_pid ]] || return 0
  kill -TERM -- "-$command_pid" 2>/dev/null || return 0
  for _ in {1..100}; do
    kill -0 -- "-$command_pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL -- "-$command_pid" 2>/dev/null || true
}

end_server() {
  if [[ -z $server_pid && -s $folder/data/postmaster.pid ]]; then
    server_pid=$(sed -n 1p "$folder/data/postmaster.pid")
  fi
  [[ -n $server_pid ]] || return 0
  as_owner "$programs/pg_ctl" stop -D "$folder/data" -m immediate -w -t 20 >/dev/null 2>&1 && return 0
  kill -QUIT "$server_pid" 2>/dev/null || true
}

clean_up() {
  local code=$?
  trap '' INT TERM HUP
  set +e
  end_command
  if [[ -n $folder ]]; then
    end_server
    rm -rf "$folder"
  fi
  exit "$code"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

folder=$(mktemp -d "${TMPDIR:-/tmp}/tributary-postgres.XXXXXX")
if [[ $EUID -eq 0 ]]; then
  id -u postgres >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin postgres
  chown postgres "$folder"
fi

if ! as_owner "$programs/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 \
  --locale=C --no-sync >"$folder/initdb.log" 2>&1; then
  cat "$folder/initdb.log" >&2
  exit 1
fi
{
  echo "listen_addresses = '127.0.0.1'"
  echo "unix_socket_directories = '$folder'"
  echo "max_connections = 300"
  echo "shared_buffers = 128MB"
  if [[ ${DURABLE:-0} != 1 ]]; then
    echo "fsync = off"
    echo "synchronous_commit = off"
    echo "full_page_writes = off"
  fi
} >>"$folder/data/postgresql.conf"

# Below the range the system hands out by itself; a port that is taken fails the start, and the next one is tried.
for attempt in {1..20}; do
  port=$((20000 + RANDOM % 10000))
  if as_owner "$programs/pg_ctl" start -D "$folder/data" -l "$folder/server.log" -o "-p $port" -w -t 60 \
    >/dev/null 2>&1 </dev/null; then
    break
  fi
  if [[ $attempt -eq 20 ]] || ! grep -q 'could not create any TCP/IP sockets' "$folder/server.log"; then
    cat "$folder/server.log" >&2
    exit 1
  fi
  rm -f "$folder/server.log"
done
server_pid=$(sed -n 1p "$folder/data/postmaster.pid")
export TRIBUTARY_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"

# In a group that is not the terminal's own, reading from the terminal would stop the command for good.
if [[ -t 0 ]]; then
  exec </dev/null
fi
set -m
"$@" &
command_pid=$!
set +m
wait "$command_pid"
