# shellcheck shell=bash disable=SC2034,SC2154 # the files use what the others assign
# The word for `tributary paths` against the Python package ChannelAttribution. Sourced by benches/run.sh.

# A file of distinct paths and, in a virtual environment, the reference; without that the word is skipped.
paths_reference() {
  have paths python3 || return 1
  reference=$folder/reference/bin/python
  if ! { python3 -m venv "$folder/reference" &&
    "$reference" -m pip install --quiet ChannelAttribution==2.2.5 matplotlib &&
    "$reference" -c 'import ChannelAttribution'; } >"$folder/reference.log" 2>&1; then
    skip paths "ChannelAttribution 2.2.5 could not be installed: $(tail -n 1 "$folder/reference.log")"
    return 1
  fi
}

# The median of ROUNDS runs of a command that prints seconds and MiB on its last line: median_run NAME COMMAND…
median_run() {
  local name=$1 number
  shift
  for ((number = 1; number <= ROUNDS; number++)); do
    "$@" | tail -n 1 | tee -a "$folder/$name.runs" | sed "s/^/$name, round $number (s, MiB): /"
  done
  seconds=$(cut -d' ' -f1 "$folder/$name.runs" | median)
  mebibytes=$(cut -d' ' -f2 "$folder/$name.runs" | median)
}

# A row for seconds and one for memory: paths_rows WORK TARGET OURS… -- REFERENCE
paths_rows() {
  local work=$1 target=$2 ours_seconds ours_mebibytes
  shift 2
  local ours=()
  while [[ $1 != -- ]]; do
    ours+=("$1")
    shift
  done
  # What goes in is a file and what comes out a table, so the whole process is timed.
  median_run "$work, ours" python3 benches/timed.py "$tributary" paths "$folder/paths.csv" "${ours[@]}"
  ours_seconds=$seconds ours_mebibytes=$mebibytes
  if [[ ! -e "$folder/ChannelAttribution $2.runs" ]]; then
    median_run "ChannelAttribution $2" "$reference" benches/channel_attribution.py "$folder/paths.csv" "$2"
  else
    seconds=$(cut -d' ' -f1 "$folder/ChannelAttribution $2.runs" | median)
    mebibytes=$(cut -d' ' -f2 "$folder/ChannelAttribution $2.runs" | median)
  fi
  row "paths, $work" "$ours_seconds s" "$seconds s" "$(quotient "$seconds" "$ours_seconds")" "$target"
  row "paths, $work, peak memory" "$ours_mebibytes MiB" "$mebibytes MiB" "$(quotient "$ours_mebibytes" "$mebibytes")" '≤ 0.25'
}

paths() {
  paths_reference || return 0
  echo "paths: $PATH_ROWS distinct paths of 6 touches on average"
  python3 benches/path_file.py "$PATH_ROWS" "$folder/paths.csv"
  paths_rows heuristics '≥ 20' --models first_click,last_click,linear -- heuristics
  paths_rows 'markov, order 1' '≥ 10' --models markov -- markov
  paths_rows 'markov, order 3, against its order 1' '≥ 1' --models markov --order 3 -- markov
  paths_rows 'all models, against its heuristics' '' -- heuristics
}
