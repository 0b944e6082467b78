"""Reads Packages texts, a JSON list of them on standard input, as apt does; prints each one's stanzas."""
import json
import sys
import tempfile

import apt_pkg

FIELDS = ["Package", "Architecture", "Version", "Source", "Multi-Arch", "Pre-Depends", "Depends", "Conflicts", "Breaks", "Provides", "Filename", "Size", "SHA256"]
apt_pkg.init()


def stanzas(text):
    with tempfile.NamedTemporaryFile("w", encoding="latin-1", newline="") as file:
        file.write(text)
        file.flush()
        with open(file.name, "rb") as packages:
            for section in apt_pkg.TagFile(packages):
                yield [" ".join(section.get(field, "").split()) for field in FIELDS]


json.dump([list(stanzas(text)) for text in json.load(sys.stdin)], sys.stdout)
