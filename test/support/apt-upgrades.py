"""What apt says of roots: their sources, which packages have something newer, and what a dist-upgrade does to each. Reads folders, one a line; writes JSON, one a line."""
import json
import os
import sys

import apt_pkg


def said_of(root):
    config = os.path.join(root, "oracle.conf")
    with open(config, "w") as file:
        file.write(f'Dir "{root}/"; Dir::State::status "{root}/var/lib/dpkg/status"; Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";\n')
        file.write('pkgCacheGen::ForceEssential "none"; APT::Architecture "amd64";\n')
        with open(os.path.join(root, "var/lib/dpkg/arch")) as listed:
            for architecture in listed.read().split():
                file.write(f'APT::Architectures:: "{architecture}";\n')
    os.environ["APT_CONFIG"] = config
    apt_pkg.init_config()
    apt_pkg.init_system()
    listed = apt_pkg.SourceList()
    listed.read_main_list()
    sources = [index.describe.split(" (")[0] + (" trusted" if meta.is_trusted else "") for meta in listed.list for index in meta.index_files if index.label == "Debian Package Index"]
    cache = apt_pkg.Cache(None)
    depends = apt_pkg.DepCache(cache)
    broken = depends.broken_count
    upgradable = {}
    for package in cache.packages:
        if package.current_ver is None or not depends.is_upgradable(package):
            continue
        version = depends.get_candidate_ver(package)
        upgradable[package] = {
            "package": package.name,
            "arch": version.arch,
            "from": package.current_ver.ver_str,
            "to": version.ver_str,
            "suites": [file.archive for file, _ in version.file_list if file.archive != "now"],
        }
    done = depends.upgrade(True)
    for package, found in upgradable.items():
        found["kept"] = not depends.marked_upgrade(package) and not depends.marked_delete(package)
        found["removed"] = depends.marked_delete(package)
    removed = sorted(package.get_fullname(True) for package in cache.packages if depends.marked_delete(package))
    added = sorted(package.get_fullname(True) for package in cache.packages if depends.marked_install(package))
    after = []
    for package in cache.packages:
        if depends.marked_delete(package) or (package.current_ver is None and not depends.marked_install(package)):
            continue
        moves = depends.marked_install(package) or depends.marked_upgrade(package) or depends.marked_downgrade(package)
        version = depends.get_candidate_ver(package) if moves else package.current_ver
        after.append(f"{package.name} {package.architecture} {version.ver_str}")
    return {"sources": sources, "after": after, "upgradable": list(upgradable.values()), "removed": removed, "added": added, "done": done, "broken": broken}


def main():
    for line in sys.stdin:
        root = line.strip()
        inside, outside = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(inside)
            try:
                said = said_of(root)
            except Exception as error:  # apt refuses this root altogether
                said = {"error": str(error)}
            with os.fdopen(outside, "w") as pipe:
                json.dump(said, pipe)
            os._exit(0)
        os.close(outside)
        with os.fdopen(inside) as pipe:
            print(pipe.read(), flush=True)
        os.waitpid(child, 0)


main()
