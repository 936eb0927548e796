"""Files that a native VNC viewer opens: each names the host, the port and, where the viewer reads it, the password that is good once."""

from collections.abc import Callable

from compute.services.native_viewers import ViewerAccess, answer

_KEY_OF_FILES = bytes((23, 82, 107, 6, 35, 78, 88, 7)).decode("latin1")


def tigervnc(access: ViewerAccess) -> str:
    """TigerVNC: it asks for the password, since its files hold none."""
    return (
        "TigerVNC Configuration file Version 1.0\n\n"
        f"ServerName={_host(access)}::{access.port}\nSecurityTypes=VncAuth\nShared=1\nReconnectOnError=0\n"
    )


def realvnc(access: ViewerAccess) -> str:
    """RealVNC, and others that read its files: the password stands there as the old viewers wrote it down."""
    hidden = answer(_KEY_OF_FILES, access.password.encode().ljust(8, b"\0")).hex()
    return f"[Connection]\nHost={_host(access)}::{access.port}\nPassword={hidden}\n[Options]\nShared=1\n"


def virt_viewer(access: ViewerAccess) -> str:
    """virt-viewer (remote-viewer), which deletes the file once it has read it."""
    return (
        "[virt-viewer]\ntype=vnc\n"
        f"host={access.host}\nport={access.port}\npassword={access.password}\ntitle={_line(access.server_name)}\n"
        "delete-this-file=1\n"
    )


FILES: dict[str, tuple[str, Callable[[ViewerAccess], str]]] = {
    "tigervnc": ("TigerVNC", tigervnc),
    "vnc": ("RealVNC", realvnc),
    "vv": ("virt-viewer", virt_viewer),
}


def _host(access: ViewerAccess) -> str:
    return f"[{access.host}]" if ":" in access.host else access.host


def _line(text: str) -> str:
    """Return the text as it may stand behind an equals sign."""
    return "".join(sign for sign in text if sign.isprintable())
