#!/usr/bin/env python3
"""Makes src/domain/data/matomo_sources.csv of Matomo's lists of search engines, social networks and AI assistants.

Usage: scripts/matomo-sources.py FOLDER > src/domain/data/matomo_sources.csv
FOLDER is a checkout of github.com/matomo-org/searchengine-and-social-list (CC0 1.0); nothing else is needed.
"""
import csv
import re
import sys
from pathlib import Path

FILES = [("SearchEngines.yml", "search"), ("Socials.yml", "social"), ("AIAssistants.yml", "ai_assistant")]
# What the lists call by another name than people do today, or misspell.
NAMES = {"google%2b": "google+", "ozone": "qzone", "haboo": "habbo", "classmates.com": "classmates", "le chat": "mistral"}


def unquoted(text):
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def entries(text):
    """(name, addresses, parameters) of each block: the lists use mappings and sequences, two levels deep at most."""
    name, key, block = None, None, None
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        indent, body = len(line) - len(line.lstrip()), line.strip()
        if indent == 0:
            if block:
                yield name, block
            name, key, block = unquoted(body.rstrip(":")), "urls", {}
        elif body == "-":
            if block:
                yield name, block
            block = {}
        elif body.startswith("- "):
            block.setdefault(key, []).append(unquoted(body[2:]))
        else:
            key = body.split(":", 1)[0]
    if block:
        yield name, block


def pattern(address):
    """An address as our table writes it; None where a country in its middle is all that sets it apart."""
    address = address.lower().removeprefix("www.")
    address = re.sub(r"^\{\}\.", "*.", address)
    host = address.split("/", 1)[0]
    return None if "{}" in host.removesuffix(".{}") else address


def main(folder):
    rows = {}
    for file, kind in FILES:
        path = Path(folder) / file
        if not path.exists():
            path = Path(folder) / f"matomo_{file}"
        for name, block in entries(path.read_text(encoding="utf-8")):
            name = NAMES.get(name.lower(), name.lower())
            parameters = "|".join(p for p in block.get("params", []) if not p.startswith("/"))
            for address in block.get("urls", []):
                if (host := pattern(address)) is not None:
                    rows.setdefault(host, (kind, name, parameters))
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["address", "kind", "source", "term_parameters"])
    for host in sorted(rows):
        out.writerow([host, *rows[host]])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
