#!/usr/bin/env bash
# Exports a run in one format, in all of its parts: payout_parts.sh PROGRAM STORE PERIOD FORMAT PAYEES FILE
set -euo pipefail
case $4 in
  paypal) most=5000 ;;
  wise) most=1000 ;;
  *) most=$5 ;;
esac
parts=$((($5 + most - 1) / most))
for ((part = 1; part <= parts; part++)); do
  of=()
  [[ $parts -gt 1 ]] && of=(--part "$part")
  "$1" --database-url "$2" payouts export --period "$3" --format "$4" "${of[@]}" --out "$6"
done
