"""``manage.py policy``: the rules as they stand, what they answer and why, and a new file tried on what was really asked."""

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model

from accounts import contexts, holdings, workplaces
from accounts.models import Domain, Project, User
from portal.core.context import RequestContext
from portal.core.policy import engine, rehearsal
from portal.core.policy.rules import Rule, registry


class Command(BaseCommand):
    help = "Show rules, say what they answer and why, print sample files, and rehearse a new policy file."

    def add_arguments(self, parser: Any) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        services = registry.services()

        def add(name: str, summary: str) -> argparse.ArgumentParser:
            found: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=summary)
            return found

        add("list", "Every rule: its check, what it stands for, and the default where a file changes it.").add_argument(
            "service", nargs="?", choices=services
        )
        check = add("check", "Say whether a user may, and which parts of the rule decide.")
        check.add_argument("user", help="name or id")
        check.add_argument("project", help="name or id, or the word system")
        check.add_argument("rule", help="such as os_compute_api:servers:delete")
        check.add_argument("object", nargs="?", help="such as server:ID, image:ID, project:ID")
        sample = add("sample", "Print a policy file that holds every default.")
        sample.add_argument("service", choices=services)
        sample.add_argument("--format", choices=["yaml", "json"], default="yaml")
        add("diff", "What the files change, name and default.").add_argument("service", nargs="?", choices=services)
        rehearse = add("rehearse", "Judge what was asked in the last days by another file.")
        rehearse.add_argument("file", type=Path)
        rehearse.add_argument("--service", choices=services, help="whose rules the file changes; the names in it tell")
        rehearse.add_argument("--days", type=int, default=7)

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        getattr(self, f"do_{verb}")(**options)

    def do_list(self, service: str | None, **options: Any) -> None:
        """Print every rule."""
        for name, rule, now in self._rules(service):
            self.stdout.write(f"{name}\n    {now or '(everybody)'}" + (f"    {rule.summary}" if rule.summary else ""))
            if now != rule.check:
                self.stdout.write(f"    changed; the default is {rule.check or '(everybody)'}")

    def do_diff(self, service: str | None, **options: Any) -> None:
        """Print what differs from the defaults."""
        for each in self._services(service):
            live = engine.service_policy(each)
            for name, check in live.changed().items():
                default = registry.of(each)[name].check if name in registry.of(each) else "(not known here)"
                self.stdout.write(f"{each} {name}\n  - {default}\n  + {check}")
            for problem in live.problems:
                self.stdout.write(f"{each} problem: {problem}")

    def do_sample(self, service: str, format: str, **options: Any) -> None:
        """Print all defaults as a policy file."""
        rules = registry.of(service)
        if format == "json":
            self.stdout.write(json.dumps({name: rule.check for name, rule in rules.items()}, indent=2))
            return
        for name, rule in rules.items():
            if rule.summary:
                self.stdout.write(f"# {rule.summary}")
            self.stdout.write(yaml.safe_dump({name: rule.check}, default_style='"', width=10_000).rstrip())

    def do_check(self, user: str, project: str, rule: str, object: str | None, **options: Any) -> None:
        """Print the verdict and the parts of the rule with their answers."""
        service = registry.service_of(rule)
        if service is None:
            raise CommandError(f"There is no rule {rule}: what no rule allows is refused.")
        ctx = self._context(user, project)
        target = engine.target_mapping(ctx, self._object(object) if object else None)
        found = engine.service_policy(service).trace(rule, target, ctx.credentials())
        who = f"{ctx.user_name} in {ctx.project_name or 'the system'} ({', '.join(sorted(ctx.roles)) or 'no role'})"
        self.stdout.write(f"{'allowed' if found.holds else 'refused'}: {rule} to {who}")
        self.stdout.write(f"decided by: {', '.join(found.deciding())}")
        for line in found.lines():
            self.stdout.write(f"  {line}")
        decision = engine.decide(ctx, registry.of(service)[rule], target)
        for sentence in filter(None, (decision.reason, decision.remedy)):
            self.stdout.write(sentence)

    def do_rehearse(self, file: Path, service: str | None, days: int, **options: Any) -> None:
        """Print who would newly be refused and who would newly be let in."""
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        try:
            wanted = rehearsal.read(file, service or rehearsal.service_of(file))
        except ValueError as error:
            raise CommandError(str(error)) from error
        for problem in wanted.problems:
            self.stdout.write(f"problem: {problem}")
        found = list(rehearsal.rehearse(wanted, days=days))
        for allowed, words in ((False, "newly refused"), (True, "newly let in")):
            some = [item for item in found if item.allowed is allowed]
            people = {item.caller.get("user_id") for item in some}
            self.stdout.write(f"{sum(item.count for item in some)} requests by {len(people)} people would be {words}")
            counts: Counter[tuple[str, str, str]] = Counter()
            for item in some:
                counts[item.rule, self._named(User, item.caller.get("user_id")), self._place(item.caller)] += item.count
            for (name, person, place), count in counts.most_common():
                self.stdout.write(f"  {count:6} {name}  {person} in {place}")

    def _services(self, service: str | None) -> list[str]:
        return [service] if service else registry.services()

    def _rules(self, service: str | None) -> Iterable[tuple[str, Rule, str]]:
        for each in self._services(service):
            changed = engine.service_policy(each).changed()
            for name, rule in registry.of(each).items():
                yield name, rule, changed.get(name, rule.check)

    def _context(self, user: str, project: str) -> RequestContext:
        person = self._row(User, user)
        if project == "system":
            return contexts.system_context(person, holdings.roles(holdings.SYSTEM, user_id=person.pk, scope_id=""))
        place = self._row(Project, project)
        found = next((ctx for ctx in workplaces.project_contexts(person) if ctx.project_id == place.pk), None)
        if found is None:
            raise CommandError(f"{person} holds no role in {place}.")
        return found

    def _row(self, model: type[User] | type[Project], word: str) -> Any:
        rows = model._default_manager.select_related("domain")
        found = list(rows.filter(pk=word)) or list(rows.filter(name=word).order_by("domain_id")[:2])
        if len(found) != 1:
            raise CommandError(f"There are {'several' if found else 'no'} {model._meta.verbose_name_plural} called {word}.")
        return found[0]

    def _object(self, text: str) -> Any:
        kind, _colon, key = text.partition(":")
        models = [model for model in apps.get_models() if model._meta.model_name == kind and hasattr(model, "policy_target")]
        row = models[0]._default_manager.filter(pk=key).first() if models else None
        if row is None:
            raise CommandError(f"There is no {text}.")
        return row

    def _named(self, model: type[Model], key: str | None) -> str:
        row = model._default_manager.filter(pk=key).first()
        return str(row) if row is not None else str(key)

    def _place(self, caller: dict[str, Any]) -> str:
        if "project_id" in caller:
            return self._named(Project, caller["project_id"])
        return (
            self._named(Domain, caller["domain_id"]) if "domain_id" in caller else str(caller.get("system_scope", "no scope"))
        )
