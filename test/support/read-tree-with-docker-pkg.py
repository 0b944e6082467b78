"""Reads a tree with docker-pkg itself, as if neither registry nor engine had anything.

Arguments: config, directory. Standard input: a JSON list of --select globs.
Standard output: {"images": {ref: {"text": Dockerfile, "depends": [names as control has them]}}, "builds": [refs], "selected": {glob: [refs]}}.
"""
import json
import logging
import sys
from unittest import mock

import docker
from docker_pkg import builder, cli, dockerfile, drivers

logging.disable(logging.CRITICAL)


def main():
    config = cli.read_config(sys.argv[1])
    globs = json.load(sys.stdin)
    with mock.patch.object(docker, "from_env"), mock.patch.object(
        builder.ImageFSM, "_is_published", return_value=False
    ), mock.patch.object(drivers.DockerDriver, "exists", return_value=False):
        tree = builder.DockerBuilder(sys.argv[2], config)
        tree.scan()
        images = {str(fsm.label): fsm for fsm in tree.all_images}
        dockerfile.TemplateEngine.setup(config, set(images) | set(config["base_images"]))
        answer = {
            "images": {
                ref: {"text": fsm.image.render_dockerfile(), "depends": sorted(fsm.image.depends)}
                for ref, fsm in images.items()
            },
            "builds": sorted(str(fsm.label) for fsm in tree.build_chain),
            "selected": {},
        }
        for glob in globs:
            chosen = builder.DockerBuilder(sys.argv[2], config, selection=glob)
            answer["selected"][glob] = sorted(ref for ref, fsm in images.items() if chosen._matches_glob(fsm))
    json.dump(answer, sys.stdout)


main()
