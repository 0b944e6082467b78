"""What docker-pkg makes of command lines: a JSON array of argument lists in, an array of its options, or null where it refuses, out."""
import contextlib
import io
import json
import sys

from docker_pkg.cli import parse_args

answers = []
for arguments in json.load(sys.stdin):
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            answers.append(vars(parse_args(arguments)))
        except SystemExit as ended:
            answers.append({"exit": ended.code})
json.dump(answers, sys.stdout)
