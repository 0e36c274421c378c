"""Times ChannelAttribution over a path file, reading not counted: channel_attribution.py FILE heuristics|markov

Prints seconds and the peak of memory in MiB. The package is the reference, not a part of this project."""

import resource
import sys
import time

import pandas
from ChannelAttribution import heuristic_models, markov_model


def main() -> None:
    paths = pandas.read_csv(sys.argv[1])
    columns = {"var_path": "path", "var_conv": "conversions", "var_value": "value"}
    start = time.perf_counter()
    if sys.argv[2] == "heuristics":
        heuristic_models(paths, **columns)
    else:
        markov_model(paths, **columns, var_null="null")
    seconds = time.perf_counter() - start
    print(f"{seconds:.3f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f}")


main()
