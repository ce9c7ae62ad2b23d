"""The systemd unit of a flight: starts at boot, restarts after any failure, and has no access to the rest."""

from __future__ import annotations

import grp
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "eatrack-edge"
_GROUPS = ("video", "render", "dialout")  # cameras, the GPU, and serial links
_HOMES = (Path("/home"), Path("/root"))


def groups_here() -> tuple[str, ...]:
    """The groups of cameras, GPU and serial ports; a unit that names one that this machine lacks does not start."""
    known = {group.gr_name for group in grp.getgrall()}
    return tuple(name for name in _GROUPS if name in known)


def is_in_a_home(path: Path) -> bool:
    """Whether a path is where only its owner may read.

    >>> is_in_a_home(Path("/home/pilot/venv")), is_in_a_home(Path("/opt/eatrack-edge"))
    (True, False)
    """
    return any(path.is_relative_to(home) for home in _HOMES)


def default_user(prefix: Path, owner: Callable[[Path], str] = Path.owner) -> str:
    """Who flies: a user for nothing else, or the owner of a Python environment that nobody else may read.

    Args:
        prefix: The environment's folder.
        owner: Gives the owner of a file.
    """
    return owner(prefix) if is_in_a_home(prefix) else NAME


@dataclass(frozen=True, slots=True)
class ServiceUnit:
    """What varies in a unit.

    Attributes:
        config: File for ``eatrack-edge fly --config``.
        user: Who flies.
        groups: That the user is in, beside its own.
        writable: Folders outside the service's own that it writes to.
        python: Of the environment that has the package.
        prefix: That environment.
    """

    config: Path
    user: str
    groups: Sequence[str] = ()
    writable: Sequence[Path] = ()
    python: Path = field(default_factory=lambda: Path(sys.executable))
    prefix: Path = field(default_factory=lambda: Path(sys.prefix))

    def text(self) -> str:
        """The unit's file."""
        home = "read-only" if is_in_a_home(self.prefix) or is_in_a_home(self.config) else "yes"
        mounts = [f"RequiresMountsFor={' '.join(map(_quoted, self.writable))}"] if self.writable else []
        writable = [f"ReadWritePaths={' '.join(_quoted(path, '-') for path in self.writable)}"] if self.writable else []
        groups = [f"SupplementaryGroups={' '.join(self.groups)}"] if self.groups else []
        command = f"{_quoted(self.python)} -m eatrack_edge fly --config {_quoted(self.config)}"
        return "\n".join(
            [
                f"# Written by `{NAME} service`: journalctl -u {NAME} shows its log.",
                *("[Unit]", "Description=Tracks one target in live video"),
                "# A Jetson's CSI cameras come from nvargus-daemon; elsewhere it does not exist.",
                *("Wants=nvargus-daemon.service", "After=nvargus-daemon.service network.target"),
                *(*mounts, "# No number of failures is too many in flight.", "StartLimitIntervalSec=0", ""),
                *("[Service]", "Type=notify", "NotifyAccess=main"),
                f'# For commands such as `stop`: set commands = "/run/{NAME}/commands" in the configuration.',
                f"ExecStartPre=/usr/bin/mkfifo -m 660 %t/{NAME}/commands",
                f"ExecStart={command}",
                "Environment=PYTHONUNBUFFERED=1 XDG_CACHE_HOME=%C",
                f"User={self.user}",
                *groups,
                *_FIXED,
                *(f"ProtectHome={home}", *writable, "", "[Install]", "WantedBy=multi-user.target", ""),
            ]
        )

    def user_file(self) -> str:
        """The lines of ``sysusers.d`` that make the user."""
        return f'# Written by `{NAME} service`\nu {self.user} - "{NAME}" /var/lib/{NAME}\n'


_FIXED = (
    "# The loop that delivers results feeds the watchdog: a tracker that hangs is restarted.",
    "WatchdogSec=10",
    "# The first start may build engines for the GPU, which takes minutes.",
    "TimeoutStartSec=30min",
    *("Restart=always", "RestartSec=2", "KillSignal=SIGINT", "SuccessExitStatus=130", "TimeoutStopSec=15"),
    '# Relative paths of the configuration, such as record = "recordings", are in /var/lib/eatrack-edge.',
    *(f"StateDirectory={NAME}", f"WorkingDirectory=%S/{NAME}", f"RuntimeDirectory={NAME}", f"CacheDirectory={NAME}"),
    "# It sees devices, and /tmp, where nvargus-daemon has its socket. It writes to its own folders alone.",
    *("ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet="),
    *("ProtectKernelModules=yes", "ProtectKernelLogs=yes", "ProtectKernelTunables=yes", "ProtectControlGroups=yes"),
    *("ProtectHostname=yes", "RestrictNamespaces=yes", "RestrictSUIDSGID=yes", "LockPersonality=yes"),
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
)


def _quoted(path: Path, mark: str = "") -> str:
    """A path as systemd reads it: ``%`` begins a specifier there, and blanks divide words."""
    text = f"{mark}{path}".replace("\\", "\\\\").replace("%", "%%").replace('"', '\\"')
    return f'"{text}"' if set(text) & set(" '\"\\") else text
