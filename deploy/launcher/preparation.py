"""Everything that must be there before Nebulet starts; each step does only what is missing."""

import os

from deploy.launcher import bundle, database, hypervisor, identity, image_build, moved, packages, preconditions, state, venv
from deploy.launcher.config import Config
from deploy.launcher.identity import Identity
from deploy.launcher.installation import Installation
from deploy.launcher.terminal import Terminal


def prepare(config: Config, terminal: Terminal, *, install: bool, demo: bool = False) -> Identity:
    """Prepare machine, checkout and state folder; return how services are started."""
    with terminal.step("this machine") as step:
        database.check_version(config)
        if config.driver == "libvirt":
            moved.check_place(config.state_dir)
        if os.geteuid() == 0:
            preconditions.check_entrance(config.state_dir)
        step.note = preconditions.check_space(config.state_dir)
    if install:
        _install_packages(config, terminal)
    if config.driver == "libvirt":
        _start_libvirt(config, terminal)
    with terminal.step("state folder") as step:
        step.note = _lay_out(config)
    images = None if demo else image_build.start(config)
    if install:
        with terminal.step("requirements") as step:
            step.note = venv.ensure(config)
            venv.compile_code(config)
        with terminal.step("browser bundle") as step:
            step.note = bundle.ensure(config)
    who = identity.find_identity(config)
    installation = Installation(config, who)
    _fill_database(installation, terminal)
    if demo:
        return who
    with terminal.step("first images") as step:
        if images:
            images.wait()
        told = installation.seed_images()
        step.note = told if installation.has_images() else ""
    if not installation.has_images():
        terminal.line(f"  {told}")
    return who


def _install_packages(config: Config, terminal: Terminal) -> None:
    with terminal.step("system packages") as step:
        step.note = packages.ensure(packages.for_running(config.driver, on_mariadb=config.on_mariadb))


def _start_libvirt(config: Config, terminal: Terminal) -> None:
    with terminal.step("libvirt") as step:
        uri = config.environ.get("NEBULET_LIBVIRT_URI", "qemu:///system")
        hypervisor.check_logs()
        step.note = ", ".join(filter(None, [hypervisor.mend_kvm(), hypervisor.ensure_libvirt(uri)]))


def _lay_out(config: Config) -> str:
    made = identity.ensure_service_user() if os.geteuid() == 0 else ""
    owner = identity.service_owner()
    state.lay_out(config, owner)
    secrets = state.ensure_secrets(config, owner)
    return ", ".join(filter(None, [made, f"made {', '.join(secrets)}" if secrets else ""]))


def _fill_database(installation: Installation, terminal: Terminal) -> None:
    with terminal.step("database") as step:
        step.note = installation.migrate()
    with terminal.step("static files") as step:
        step.note = installation.collect_static()
    with terminal.step("first rows") as step:
        step.note = installation.seed()
