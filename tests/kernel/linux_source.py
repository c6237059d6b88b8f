# SPDX-License-Identifier: BSD-2-Clause
"""Parts of Debian's packages of kernel source, for tests that come with the kernel."""
import glob
import os
import shutil
import subprocess


def run(*command, **options):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=600, **options)


def fetch(package, parts, cache):
    """Downloads the package and unpacks these parts of its tree into cache, unless they are there; the tree's directory."""
    tree = os.path.join(cache, package)
    if all(os.path.exists(os.path.join(tree, part)) for part in parts):
        return tree
    run("apt-get", "download", package, cwd=cache)
    archive = glob.glob(os.path.join(cache, package + "_*.deb"))[0]
    run("dpkg-deb", "-x", archive, os.path.join(cache, "package"))
    os.unlink(archive)
    run("tar", "xf", os.path.join(cache, f"package/usr/src/{package}.tar.xz"), "-C", cache, *(f"{package}/{part}" for part in parts))
    shutil.rmtree(os.path.join(cache, "package"))
    return tree
