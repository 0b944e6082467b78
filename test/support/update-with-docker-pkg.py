"""Runs docker-pkg's own `update`: [{"folder", "arguments", "env"}] in; each folder holds a config.yaml and a tree in images/. Its messages go to standard error."""
import json
import os
import sys

from docker_pkg import cli

sys.stdout = sys.stderr
for case in json.load(sys.stdin):
    # docker-pkg keeps what it has seen of a tree: each has a process of its own, which costs less than a start.
    child = os.fork()
    if child == 0:
        try:
            os.chdir(case["folder"])
            os.environ.update(case["env"])
            sys.argv = ["docker-pkg", "-c", "config.yaml", "update", *case["arguments"], "images"]
            cli.main()
            sys.stderr.flush()
            os._exit(0)
        finally:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(f"failed in {case['folder']}")
