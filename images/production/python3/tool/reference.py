"""image-reference REFERENCE...: prints the registry, repository, tag and digest of each image reference as JSON."""

import json
import sys


def parse(reference: str) -> dict[str, str]:
    """The parts that are there; the first component is a registry when it holds a dot or a colon, or is localhost."""
    rest, _, digest = reference.partition("@")
    head, slash, tail = rest.partition("/")
    registry, rest = (head, tail) if slash and ("." in head or ":" in head or head == "localhost") else ("", rest)
    repository, _, tag = rest.partition(":")
    parts = {"registry": registry, "repository": repository, "tag": tag, "digest": digest}
    return {name: value for name, value in parts.items() if value}


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    for reference in sys.argv[1:]:
        print(json.dumps(parse(reference)))
    return 0
