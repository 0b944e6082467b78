"""Renders templates with docker-pkg itself, or with bare Jinja2 where only that is there.

Standard input: {"configs": {name: {...}}, "cases": {name: {file: text}}, "only": {case: [config]}}; each case has a
Dockerfile.template, and without "only" is rendered with each config.
Standard output: {case: {config: text, or null where rendering failed}}; with --why: [text, what Python said] in its place.
"""
import copy
import json
import logging
import os
import sys
import tempfile
import warnings

logging.disable(logging.CRITICAL)


def docker_pkg_renderer():
    from docker_pkg import cli, dockerfile

    def render(folder, config):
        known = set(config["known"])
        settings = {**cli.defaults, **config["variables"]}
        dockerfile.TemplateEngine.setup(settings, known)
        return dockerfile.from_template(folder, "Dockerfile.template").render(**settings)

    return render


def jinja_renderer(trims):
    """The language alone: templates that use docker-pkg's filters fail."""
    import jinja2

    def render(folder, config):
        env = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            extensions=["jinja2.ext.do"],
            undefined=jinja2.StrictUndefined,
            trim_blocks=trims,
            lstrip_blocks=trims,
        )
        return env.get_template("Dockerfile.template").render(**config["variables"])

    return render


def main():
    work = json.load(sys.stdin)
    renderer = jinja_renderer("--trim" in sys.argv) if "--language-only" in sys.argv else docker_pkg_renderer()
    why = "--why" in sys.argv
    warnings.simplefilter("ignore")
    answers = {}
    for case, files in work["cases"].items():
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
                with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
                    file.write(text)
            answers[case] = {}
            for name in work.get("only", {}).get(case, work["configs"]):
                try:
                    # A template may change the config's own lists.
                    text, said = renderer(folder, copy.deepcopy(work["configs"][name])), None
                except Exception as error:
                    text, said = None, f"{type(error).__name__}: {error}"
                answers[case][name] = [text, said] if why else text
    json.dump(answers, sys.stdout, ensure_ascii=False, indent=1, sort_keys=True)


main()
