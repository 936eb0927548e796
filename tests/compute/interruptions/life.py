"""A server, what is done to it, and what must be true of it afterwards."""

from compute.interruptions import Outcome
from compute.models import Server, ServerAction
from compute.services import invariants, lifecycle
from compute.states import SIGNALS, TRANSITIONS, Action, VmState
from images.models import Image
from portal.core import faults
from portal.core.faults import Point, Process
from tests.compute.interruptions.acts import ASKS, BACK, BEFORE

# the tiny image of the kit is a row without bytes, and no queue runs here
_CHECKS = [check for name, check in invariants.ALL.items() if name[:2] not in ("I5", "I6")]


def broken() -> list[str]:
    """Return what is not true and must be."""
    return [sentence for check in _CHECKS for sentence in check()]


class Life:
    """A server on which an action is carried out, again and again where a way leads back."""

    def __init__(self, cloud, town, action: Action) -> None:
        self.cloud, self.town, self.action = cloud, town, action
        self.server: Server | None = None
        if action != Action.CREATE:
            self.server = self._created(cloud.again())
            town.settle()
            self._do(BEFORE.get(action, ()))
        self._begin()

    def _begin(self) -> None:
        self.before = self.state()[0]
        self.boots = self._boots()
        self.ctx = self.cloud.again()

    def _do(self, actions) -> None:
        for action in actions:
            self.town.ask(lambda action=action: ASKS[action](ctx=self.cloud.again(), server=self.cloud.fresh(self.server)))
            self.town.settle()

    def _created(self, ctx) -> Server:
        return lifecycle.create(ctx=ctx, name="one", flavor_id="1", image_id=self.cloud.image.pk)[0]

    def _boots(self) -> int:
        guest = self.town.driver()._guests.get(self.server.pk) if self.server else None
        return guest.boots if guest else 0

    def again(self) -> "Life":
        """Return a server as it was before the action."""
        if self.action not in BACK:
            self.over()
            return Life(self.cloud, self.town, self.action)
        if self.state()[0] == self.end():
            self._do(BACK[self.action])
        self._begin()
        return self

    def ask(self) -> None:
        if self.server is None:
            self.town.ask(lambda: self._created(self.ctx))
            self.server = Server.objects.present().first()
        else:
            self.town.ask(lambda: ASKS[self.action](ctx=self.ctx, server=self.cloud.fresh(self.server)))

    def kill(self, process: Process, point: Point) -> None:
        armed = faults.arm(self.town.armed, process, point)
        self.ask()
        self.town.repair()
        assert not armed.exists(), f"{self.action} never came to {point} of {process}"

    def check(self, expected: Outcome) -> None:
        if expected == Outcome.NOTHING:
            assert self.state() == (self.before, None)
            assert not ServerAction.objects.filter(request_id=self.ctx.request_id).exists()
            return
        assert self.state() == (self.end(), None)
        told = ServerAction.objects.get(request_id=self.ctx.request_id, action=self.action)
        assert (told.finished_at is not None, told.message) == (True, None)
        if self.action in (Action.REBOOT, Action.REBOOT_HARD):
            assert self._boots() - self.boots == (2 if expected == Outcome.TWICE else 1)

    def state(self) -> tuple[str | None, str | None]:
        if self.server is None:
            return None, None
        fresh = self.cloud.fresh(self.server)
        return fresh.vm_state, fresh.task_state

    def end(self) -> VmState | str | None:
        return self.before if self.action in SIGNALS else TRANSITIONS[self.action].then or self.before

    def over(self) -> None:
        """Delete the server; then nothing of it may be anywhere."""
        if self.state()[0] not in (None, VmState.DELETED):
            self.town.ask(lambda: ASKS[Action.DELETE](ctx=self.cloud.again(), server=self.cloud.fresh(self.server)))
            self.town.repair()
            assert self.state() == (VmState.DELETED, None)
        assert self.town.driver().guests() == {}
        assert [entry.name for entry in self.town.instances.iterdir() if len(entry.name) == 36] == []
        assert self.cloud.used() == (0, 0, 0)
        assert not Image.objects.present().exclude(pk=self.cloud.image.pk).exclude(status="active").exists()
