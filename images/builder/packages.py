"""Packages as apt knows them: which are needed, where they are fetched, whether a cached copy is the right one."""

import hashlib
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from images.builder import tools
from images.builder.errors import BuildError


@dataclass(frozen=True)
class Package:
    """One .deb: the file's name carries the package's name and version."""

    file: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        return self.file.split("_")[0]

    @property
    def version(self) -> str:
        return unquote(self.file.split("_")[1])


def parse_depends(output: str) -> dict[str, list[str]]:
    """What `apt-cache depends` says each package Depends or PreDepends on; of alternatives the first real one."""
    found: dict[str, list[str]] = {}
    names: list[str] = []
    in_alternatives = satisfied = False
    for line in output.splitlines():
        if line and not line[0].isspace():
            names = found.setdefault(line.strip().split(":")[0], [])
            in_alternatives = False
            continue
        entry = line.strip()
        kind, _, name = entry.removeprefix("|").partition(": ")
        if kind not in {"Depends", "PreDepends"}:
            continue
        if not in_alternatives:
            satisfied = False
        if not satisfied and not name.startswith("<"):
            names.append(name.split(":")[0])
            satisfied = True
        in_alternatives = entry.startswith("|")
    return found


def depends(names: Sequence[str]) -> dict[str, list[str]]:
    """What each package needs directly; BuildError if apt's lists do not know one of them."""
    try:
        return parse_depends(tools.run([tools.find("apt-cache", package="apt"), "depends", *names]))
    except BuildError as error:
        raise BuildError(f"apt does not know {', '.join(names)}: run `apt-get update` as root first.") from error


def closure(
    names: Sequence[str],
    *,
    follow: Callable[[str, str], bool],
    read: Callable[[Sequence[str]], dict[str, list[str]]] = depends,
) -> list[str]:
    """The packages and all they need. `follow(package, needed)` may leave a dependency out. One call of apt per level."""
    found = list(names)
    level = list(names)
    while level:
        answers = read(level)
        pairs = [(package, needed) for package in level for needed in answers.get(package, [])]
        level = list(dict.fromkeys(needed for package, needed in pairs if needed not in found and follow(package, needed)))
        found.extend(level)
    return found


def first_known(names: Iterable[str]) -> str:
    """The first of these packages that apt's lists know."""
    candidates = list(names)
    for name in candidates:
        try:
            depends([name])
        except BuildError:
            continue
        return name
    raise BuildError(
        f"apt knows none of {', '.join(candidates)}: run `apt-get update` as root first, on Debian or Ubuntu for x86-64."
    )


def parse_uris(output: str) -> list[Package]:
    """Reads `apt-get download --print-uris`: address, file, size, hash."""
    found: list[Package] = []
    for line in output.splitlines():
        fields = shlex.split(line) if line.startswith("'") else []
        if len(fields) == 4 and fields[3].startswith("SHA256:"):
            found.append(Package(file=fields[1], size=int(fields[2]), sha256=fields[3].removeprefix("SHA256:")))
    return found


def fetch(names: Sequence[str], cache: Path) -> list[Package]:
    """Puts the packages into `cache` and returns them; a file there whose hash is the one apt knows stays."""
    apt_get = tools.find("apt-get", package="apt")
    wanted = parse_uris(tools.run([apt_get, "download", "--print-uris", *names]))
    absent = set(names) - {package.name for package in wanted}
    if absent:
        raise BuildError(f"apt gives no address and SHA-256 for {', '.join(sorted(absent))}: run `apt-get update` as root.")
    cache.mkdir(parents=True, exist_ok=True)
    missing = [package for package in wanted if not _is_right(cache / package.file, package)]
    if missing:
        _download(apt_get, missing, cache)
    return wanted


def unpack(packages: Iterable[Package], cache: Path, target: Path) -> None:
    """Unpacks the packages' files; nothing of them is installed or run by dpkg."""
    target.mkdir(parents=True, exist_ok=True)
    dpkg_deb = tools.find("dpkg-deb", package="dpkg")
    for package in packages:
        tools.run([dpkg_deb, "--extract", cache / package.file, target])


def _download(apt_get: str, packages: Sequence[Package], cache: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache, prefix="download-") as folder:
        try:
            tools.run([apt_get, "download", *(package.name for package in packages)], cwd=Path(folder))
        except BuildError as error:
            raise BuildError(f"The packages cannot be fetched from the mirrors that apt is set to: {error}") from error
        for package in packages:
            fetched = Path(folder) / package.file
            if not _is_right(fetched, package):
                raise BuildError(f"{package.file} is not what apt's lists say: run `apt-get update` as root.")
            shutil.move(fetched, cache / package.file)


def _is_right(path: Path, package: Package) -> bool:
    if not path.is_file() or path.stat().st_size != package.size:
        return False
    return sha256(path) == package.sha256


def sha256(path: Path) -> str:
    """The file's SHA-256 in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
