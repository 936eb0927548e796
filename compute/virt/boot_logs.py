"""What earlier boots of a guest printed: the newest few are kept beside ``console.log``, each cut to its last part.

The file of the running boot is bounded by libvirt's virtlogd, which renames a full one to ``console.log.0`` and so on; its parts are
put together again here.
"""

from pathlib import Path

KEPT_BOOTS = 5
KEPT_BYTES = 1024 * 1024
CURRENT = "console.log"
BOOTS, BOOT = "boots", "boot-"
_PARTS = 10
_NUMBERS = {str(number) for number in range(1, KEPT_BOOTS + 1)}


def keep(folder: Path) -> None:
    """Put the log of the boot that ended among the kept ones; to be called just before the guest starts again."""
    parts = [path for path in _parts(folder) if path.exists() and path.stat().st_size]
    if not parts:
        return
    kept(folder, KEPT_BOOTS).unlink(missing_ok=True)
    for boot in range(KEPT_BOOTS - 1, 0, -1):
        if kept(folder, boot).exists():
            kept(folder, boot).rename(kept(folder, boot + 1))
    if len(parts) == 1 and parts[0].stat().st_size <= KEPT_BYTES:
        parts[0].rename(kept(folder, 1))
        return
    kept(folder, 1).write_bytes(_last_bytes(parts))
    kept(folder, 1).chmod(0o600)
    for path in parts:
        path.unlink()


def kept(folder: Path, boot: int) -> Path:
    """Return the file of an earlier boot: 1 is the one before the present one."""
    return folder / f"console-{boot}.log"


def earlier(folder: Path) -> dict[int, float]:
    """Return which earlier boots have a log, with the time at which each wrote its last word."""
    files = {boot: kept(folder, boot) for boot in range(1, KEPT_BOOTS + 1)}
    return {boot: path.stat().st_mtime for boot, path in files.items() if path.exists()}


def _parts(folder: Path) -> list[Path]:
    """Return the files of the boot that ended, the oldest first."""
    return [*(folder / f"{CURRENT}.{number}" for number in range(_PARTS - 1, -1, -1)), folder / CURRENT]


def _last_bytes(parts: list[Path]) -> bytes:
    text = b""
    for path in reversed(parts):
        missing = KEPT_BYTES - len(text)
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - missing))
            text = file.read(missing) + text
        if len(text) >= KEPT_BYTES:
            break
    return text


def told(folder: Path, question: str) -> bytes:
    """Answer ``boots`` with a line for each earlier boot (its number and when it ended), ``boot-N`` with that boot's log."""
    if question == BOOTS:
        return "".join(f"{boot} {int(ended_at)}\n" for boot, ended_at in earlier(folder).items()).encode()
    number = question.removeprefix(BOOT)
    try:
        return kept(folder, int(number)).read_bytes() if number in _NUMBERS else b""
    except FileNotFoundError:
        return b""
