"""Writes a path file of distinct paths, 4 to 8 touches each, over 24 channels: path_file.py ROWS FILE"""

import random
import sys

CHANNELS = """paid_search paid_social paid_shopping paid_video paid_other display cross_network email sms push audio
organic_search organic_social organic_video organic_shopping messenger ai_assistant referral direct affiliate
referral_program offline unassigned tv""".split()


def main() -> None:
    rows, file = int(sys.argv[1]), sys.argv[2]
    draw = random.Random(20261122)
    seen = set()
    with open(file, "w", encoding="utf-8") as out:
        out.write("path,conversions,value,null\n")
        while len(seen) < rows:
            path = " > ".join(draw.choices(CHANNELS, k=draw.randint(4, 8)))
            if path in seen:
                continue
            seen.add(path)
            conversions = draw.choice((0, 0, 1, 1, 2, 3))
            value = conversions * draw.randint(10_000, 900_000) / 100
            out.write(f"{path},{conversions},{value:.2f},{draw.randint(0 if conversions else 1, 9)}\n")


main()
