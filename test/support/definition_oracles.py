"""What Debian's and Python's own readers say, for comparison: {"seed", "versions", "bumps", "changelogs", "entries", "controls", "scalars"} in, answers out, both JSON."""
import json
import logging
import random
import re
import sys
import warnings

import yaml
from debian.changelog import Changelog
from debian.deb822 import Packages, PkgRelation
from debian.debian_support import BaseVersion, NativeVersion

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
question = json.load(sys.stdin)
dice = random.Random(question["seed"])


def word(alphabet, low, high):
    return "".join(dice.choice(alphabet) for _ in range(dice.randint(low, high)))


def version():
    upstream = dice.choice("0123456789") + word("0019aZ.+~", 0, 6)
    return dice.choice(["", "", "", "0:", "1:", "01:"]) + upstream + dice.choice(["", "-" + word("019b.+~", 1, 4)])


def near(text):
    """Another version, most often one edit away, so that the interesting places are met."""
    if dice.random() < 0.3:
        return version()
    at = dice.randint(1, len(text))
    changed = text[:at] + word("0019aZ.+~", 0, 2) + text[at + dice.randint(0, 1):]
    return changed if re.fullmatch(r"(\d+:)?\d[A-Za-z0-9.+~]*(-[A-Za-z0-9.+~]+)?", changed) else version()


def versions():
    a = version()
    b = near(a)
    return [a, b, order(a, b), BaseVersion(a).upstream_version]


def changelog(text):
    parsed = Changelog(text.encode())
    blocks = list(parsed)
    return [blocks[0].package, [[b._raw_version, b.distributions, b.urgency, b.author, b.date and b.date.strip()] for b in blocks]] if blocks else None


def rewritten(text, entry):
    """The changelog as python-debian writes it with one more block on top."""
    parsed = Changelog(text.encode())
    parsed.new_block(**{field: entry[field] for field in ("package", "version", "distributions", "urgency", "author", "date")})
    for line in ["", *entry["changes"], ""]:
        parsed.add_change(line)
    return str(parsed)


def order(a, b):
    one, other = NativeVersion(a), NativeVersion(b)
    return -1 if one < other else 1 if one > other else 0


def control(text):
    found = []
    for paragraph in Packages.iter_paragraphs(text.encode().splitlines(True), use_apt_pkg=False):
        for field in ("Depends", "Build-Depends"):
            relations = PkgRelation.parse_relations(paragraph.get(field, ""))
            found += [[field, alternative["name"]] for group in relations for alternative in group if alternative["name"]]
    return sorted(found)


json.dump(
    {
        "versions": [versions() for _ in range(question["versions"])],
        "bumps": [order(a, b) for a, b in question["bumps"]],
        "changelogs": [changelog(text) for text in question["changelogs"]],
        "entries": [{"ours": str(Changelog(ours.encode())), "theirs": rewritten(old, entry)} for old, ours, entry in question["entries"]],
        "controls": [control(text) for text in question["controls"]],
        "scalars": [yaml.safe_load("a: " + text)["a"] for text in question["scalars"]],
    },
    sys.stdout,
)
