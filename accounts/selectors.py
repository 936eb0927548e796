"""What of identity a caller may see."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from accounts import contexts, policies
from accounts.models import (
    DEFAULT_DOMAIN_ID,
    Assignment,
    CatalogService,
    Consumer,
    Credential,
    Domain,
    Endpoint,
    EndpointGroup,
    Group,
    ImpliedRole,
    Limit,
    Policy,
    PolicyAssociation,
    Project,
    ProjectEndpoint,
    Region,
    RegisteredLimit,
    RevokedToken,
    Role,
    User,
)
from accounts.models.credential import EC2, ec2_id
from portal.core.context import RequestContext
from portal.core.errors import Forbidden, NotFound
from portal.core.policy import Rule, allowed, authorize

M = TypeVar("M", bound=Model)

MAX_ID = 255


def find(model: type[M], kind: str, key: str) -> M:
    """Return the row with this id, without asking a rule; raises NotFound in identity's words."""
    row = None
    if "\x00" not in key and len(key) <= MAX_ID:
        row = model._default_manager.filter(pk=key).first()
    if row is None:
        raise NotFound(kind, key, f"Could not find {kind}: {key}.")
    return row


def home_domain(ctx: RequestContext) -> str:
    """Return the domain in which a caller makes things who names none: that of his scope."""
    return ctx.domain_id or ctx.project_domain_id or DEFAULT_DOMAIN_ID


def get_user(ctx: RequestContext, user_id: str) -> User:
    """Return a user; to a caller without rights an unknown one looks like another's."""
    return _get(ctx, policies.GET_USER, User, "user", user_id)


def get_project(ctx: RequestContext, project_id: str) -> Project:
    """Return a project; to a caller without rights an unknown one looks like another's."""
    return _get(ctx, policies.GET_PROJECT, Project, "project", project_id)


def get_domain(ctx: RequestContext, domain_id: str) -> Domain:
    """Return a domain."""
    return _get(ctx, policies.GET_DOMAIN, Domain, "domain", domain_id)


def get_role(ctx: RequestContext, role_id: str) -> Role:
    """Return a role; those of domains have a rule of their own."""
    role = Role.objects.filter(pk=role_id).first()
    rule = policies.GET_DOMAIN_ROLE if role is not None and role.domain_id else policies.GET_ROLE
    return _get(ctx, rule, Role, "role", role_id)


def get_region(ctx: RequestContext, region_id: str) -> Region:
    """Return a region."""
    return _get(ctx, policies.GET_REGION, Region, "region", region_id)


def get_service(ctx: RequestContext, service_id: str) -> CatalogService:
    """Return a service of the catalog."""
    return _get(ctx, policies.GET_SERVICE, CatalogService, "service", service_id)


def get_endpoint(ctx: RequestContext, endpoint_id: str) -> Endpoint:
    """Return an endpoint."""
    return _get(ctx, policies.GET_ENDPOINT, Endpoint, "endpoint", endpoint_id)


def users_visible(ctx: RequestContext) -> QuerySet[User]:
    """Return the users that the caller may list; with a domain's scope those of the domain."""
    authorize(ctx, policies.LIST_USERS, _domain_target(ctx))
    return _in_domain(User.objects.all(), ctx)


def projects_visible(ctx: RequestContext) -> QuerySet[Project]:
    """Return the projects that the caller may list; with a domain's scope those of the domain."""
    authorize(ctx, policies.LIST_PROJECTS, _domain_target(ctx))
    return _in_domain(Project.objects.all(), ctx)


def domains_visible(ctx: RequestContext) -> QuerySet[Domain]:
    """Return the domains that the caller may list."""
    authorize(ctx, policies.LIST_DOMAINS, _domain_target(ctx))
    return Domain.objects.filter(pk=ctx.domain_id) if ctx.domain_id else Domain.objects.all()


def roles_visible(ctx: RequestContext, domain_id: str | None = None) -> QuerySet[Role]:
    """Return the roles of the whole cloud, or those of one domain."""
    authorize(ctx, policies.LIST_DOMAIN_ROLES if domain_id else policies.LIST_ROLES, _domain_target(ctx))
    return Role.objects.filter(domain_id=domain_id)


def regions_visible(ctx: RequestContext) -> QuerySet[Region]:
    """Return all regions."""
    authorize(ctx, policies.LIST_REGIONS)
    return Region.objects.all()


def services_visible(ctx: RequestContext) -> QuerySet[CatalogService]:
    """Return all services of the catalog."""
    authorize(ctx, policies.LIST_SERVICES, _domain_target(ctx))
    return CatalogService.objects.all()


def endpoints_visible(ctx: RequestContext) -> QuerySet[Endpoint]:
    """Return all endpoints."""
    authorize(ctx, policies.LIST_ENDPOINTS, _domain_target(ctx))
    return Endpoint.objects.all()


def get_group(ctx: RequestContext, group_id: str) -> Group:
    """Return a group; to a caller without rights an unknown one looks like another's."""
    return _get(ctx, policies.GET_GROUP, Group, "group", group_id)


def groups_visible(ctx: RequestContext) -> QuerySet[Group]:
    """Return the groups that the caller may list; with a domain's scope those of the domain."""
    authorize(ctx, policies.LIST_GROUPS, {"target.group.domain_id": ctx.domain_id} if ctx.domain_id else {})
    return _in_domain(Group.objects.all(), ctx)


def groups_of_user(ctx: RequestContext, user_id: str) -> QuerySet[Group]:
    """Return the groups to which a user belongs, to himself or to who may look after him."""
    user = _get(ctx, policies.LIST_GROUPS_FOR_USER, User, "user", user_id)
    return Group.objects.filter(members=user)


def users_in_group(ctx: RequestContext, group_id: str) -> QuerySet[User]:
    """Return the users of a group."""
    group = _get(ctx, policies.LIST_USERS_IN_GROUP, Group, "group", group_id)
    return User.objects.filter(member_of=group)


def tags_of(ctx: RequestContext, project_id: str) -> list[str]:
    """Return the tags of a project, in order."""
    project = _get(ctx, policies.LIST_PROJECT_TAGS, Project, "project", project_id)
    return [tag.name for tag in project.tags.all()]


def check_tag(ctx: RequestContext, project_id: str, tag: str) -> None:
    """Return when a project has a tag; raises NotFound otherwise."""
    project = _get(ctx, policies.GET_PROJECT_TAG, Project, "project", project_id)
    if not project.tags.filter(name=tag).exists():
        raise no_tag(tag)


def no_tag(tag: str) -> NotFound:
    """Return the sentence for a tag that a project does not have."""
    return NotFound("project tag", tag, f"Could not find project tag: {tag}.")


def assignments_visible(ctx: RequestContext, *, tree: bool = False) -> QuerySet[Assignment]:
    """Return role assignments; with a domain's scope those on the domain and its projects."""
    authorize(ctx, policies.LIST_ASSIGNMENTS_FOR_TREE if tree else policies.LIST_ASSIGNMENTS, _domain_target(ctx))
    rows = Assignment.objects.select_related("role__domain", "user__domain", "group__domain", "project__domain", "domain")
    if ctx.domain_id:
        rows = rows.filter(domain_id=ctx.domain_id) | rows.filter(project__domain_id=ctx.domain_id)
    return rows


def implications_visible(ctx: RequestContext) -> QuerySet[ImpliedRole]:
    """Return which role implies which."""
    authorize(ctx, policies.LIST_ROLE_INFERENCES, _domain_target(ctx))
    return ImpliedRole.objects.select_related("prior", "implied").order_by("prior__name", "implied__name")


def implied_by(ctx: RequestContext, prior: Role) -> list[Role]:
    """Return the roles that a role implies directly."""
    authorize(ctx, policies.LIST_IMPLIED_ROLES, _domain_target(ctx))
    return list(Role.objects.filter(implied_by__prior=prior).order_by("name"))


def implication(ctx: RequestContext, prior_id: str, implied_id: str) -> tuple[Role, Role]:
    """Return both ends of an implication; raises NotFound when there is none."""
    authorize(ctx, policies.GET_IMPLIED_ROLE, _domain_target(ctx))
    prior, implied = find(Role, "role", prior_id), find(Role, "role", implied_id)
    if not ImpliedRole.objects.filter(prior=prior, implied=implied).exists():
        raise NotFound("implied_role", "", f"{prior.pk} does not imply {implied.pk}")
    return prior, implied


def projects_of_user(ctx: RequestContext, user_id: str) -> QuerySet[Project]:
    """Return the projects in which a user holds a role, to himself or to who may look after him."""
    user = _get(ctx, policies.LIST_USER_PROJECTS, User, "user", user_id)
    return contexts.usable_projects(user.pk)


def own_projects(ctx: RequestContext) -> QuerySet[Project]:
    """Return the projects that the caller can work in."""
    authorize(ctx, policies.GET_AUTH_PROJECTS)
    return contexts.usable_projects(ctx.user_id or "")


def own_domains(ctx: RequestContext) -> QuerySet[Domain]:
    """Return the domains on which the caller holds a role."""
    authorize(ctx, policies.GET_AUTH_DOMAINS)
    held = Assignment.objects.filter(contexts.given_to(ctx.user_id or ""), domain__isnull=False, inherited=False)
    return Domain.objects.filter(pk__in=held.values("domain_id"), enabled=True)


def holds_system_role(ctx: RequestContext) -> bool:
    """Return whether the caller holds a role on the system."""
    authorize(ctx, policies.GET_AUTH_SYSTEM)
    return Assignment.objects.filter(contexts.on_system(), contexts.given_to(ctx.user_id or "")).exists()


def refuse_delegated(ctx: RequestContext) -> None:
    """Raise Forbidden for a caller who acts by what was lent to him: what he read or made here would outlive the loan."""
    if ctx.restricted or ctx.application_credential_id or ctx.trust_id:
        raise Forbidden("A token got by a delegation does not reach credentials.")


def get_credential(ctx: RequestContext, credential_id: str) -> Credential:
    """Return a credential; to a caller without rights an unknown one looks like another's."""
    row = _get(ctx, policies.GET_CREDENTIAL, Credential, "credential", credential_id)
    refuse_delegated(ctx)
    return row


def credentials_visible(ctx: RequestContext) -> QuerySet[Credential]:
    """Return all credentials to who may see anybody's, else the caller's own."""
    authorize(ctx, policies.LIST_CREDENTIALS, {"target.credential.user_id": ctx.user_id})
    refuse_delegated(ctx)
    everybodys = allowed(ctx, policies.GET_CREDENTIAL, {})
    return Credential.objects.all() if everybodys else Credential.objects.filter(user_id=ctx.user_id)


def ec2_credentials(ctx: RequestContext, user_id: str) -> QuerySet[Credential]:
    """Return the EC2 key pairs of a user."""
    user = _get(ctx, policies.EC2_LIST_CREDENTIALS, User, "user", user_id)
    refuse_delegated(ctx)
    return Credential.objects.filter(user=user, type=EC2)


def ec2_credential(ctx: RequestContext, user_id: str, access: str, rule: Rule) -> Credential:
    """Return an EC2 key pair of a user to whom the rule lets through."""
    authorize(ctx, rule, {"target.credential.user_id": user_id})
    refuse_delegated(ctx)
    row = Credential.objects.filter(pk=ec2_id(access), user_id=user_id, type=EC2).first()
    if row is None:
        raise NotFound("credential", access, "EC2 access key not found.")
    return row


def projects_of(user: Any) -> QuerySet[Project]:
    """Return the projects that a signed-in user can work in, for the pages."""
    return contexts.usable_projects(user.pk)


def endpoint_groups_visible(ctx: RequestContext) -> QuerySet[EndpointGroup]:
    """Return the groups of endpoints."""
    authorize(ctx, policies.LIST_ENDPOINT_GROUPS)
    return EndpointGroup.objects.all()


def get_endpoint_group(ctx: RequestContext, group_id: str) -> EndpointGroup:
    """Return a group of endpoints."""
    return _get(ctx, policies.GET_ENDPOINT_GROUP, EndpointGroup, "endpoint group", group_id)


def find_group_of_project(group: EndpointGroup, project: Project) -> EndpointGroup:
    """Return the group when the project sees it; raises NotFound otherwise."""
    if not group.projects.filter(pk=project.pk).exists():
        raise NotFound("endpoint group", group.pk, f"Endpoint group {group.pk} not found in project {project.pk}.")
    return group


def in_groups(groups: Iterable[EndpointGroup]) -> Q:
    """Return the condition for endpoints of any of the groups."""
    found = Q(pk__in=[])
    for group in groups:
        found |= Q(**group.filters)
    return found


def endpoints_shown(project_id: str) -> Q | None:
    """Return the condition for the endpoints that a project was given, by themselves or in groups; None when it was given none
    and therefore sees all."""
    own = set(ProjectEndpoint.objects.filter(project_id=project_id).values_list("endpoint_id", flat=True))
    groups = list(EndpointGroup.objects.filter(projects=project_id))
    return Q(pk__in=own) | in_groups(groups) if own or groups else None


def policies_visible(ctx: RequestContext) -> QuerySet[Policy]:
    """Return the policies that are kept for services."""
    authorize(ctx, policies.LIST_POLICIES)
    return Policy.objects.all()


def get_policy(ctx: RequestContext, policy_id: str) -> Policy:
    """Return a policy that is kept for a service."""
    return _get(ctx, policies.GET_POLICY, Policy, "policy", policy_id)


def endpoints_of_policy(policy: Policy) -> QuerySet[Endpoint]:
    """Return the endpoints that a policy may be for: those named by themselves, and all of the services named."""
    rows = PolicyAssociation.objects.filter(policy=policy)
    return Endpoint.objects.filter(
        Q(pk__in=rows.values("endpoint_id")) | Q(service_id__in=rows.values("service_id"))
    ).select_related("region")


def registered_limits_visible(ctx: RequestContext) -> QuerySet[RegisteredLimit]:
    """Return the registered limits."""
    authorize(ctx, policies.LIST_REGISTERED_LIMITS)
    return RegisteredLimit.objects.all()


def get_registered_limit(ctx: RequestContext, key: str) -> RegisteredLimit:
    """Return a registered limit."""
    return _get(ctx, policies.GET_REGISTERED_LIMIT, RegisteredLimit, "registered limit", key)


def limits_visible(ctx: RequestContext) -> QuerySet[Limit]:
    """Return the limits of the caller's project, of his domain and its projects, or all of them to who may see each."""
    authorize(ctx, policies.LIST_LIMITS)
    rows = Limit.objects.select_related("registered", "project")
    if allowed(ctx, policies.GET_LIMIT, {}):
        return rows
    if ctx.domain_id:
        return rows.filter(Q(domain_id=ctx.domain_id) | Q(project__domain_id=ctx.domain_id))
    return rows.filter(project_id=ctx.project_id or "")


def get_limit(ctx: RequestContext, key: str) -> Limit:
    """Return a limit; to a caller without rights an unknown one looks like another's."""
    return _get(ctx, policies.GET_LIMIT, Limit, "limit", key)


def consumers_visible(ctx: RequestContext) -> QuerySet[Consumer]:
    """Return the OAuth consumers."""
    authorize(ctx, policies.LIST_CONSUMERS)
    return Consumer.objects.all()


def get_consumer(ctx: RequestContext, consumer_id: str) -> Consumer:
    """Return an OAuth consumer."""
    return _get(ctx, policies.GET_CONSUMER, Consumer, "consumer", consumer_id)


def revocations(ctx: RequestContext, since: datetime | None) -> QuerySet[RevokedToken]:
    """Return the tokens that were taken back one by one, those of a time and after."""
    authorize(ctx, policies.LIST_REVOKE_EVENTS)
    rows = RevokedToken.objects.order_by("revoked_at", "pk")
    return rows if since is None else rows.filter(revoked_at__gte=since)


def catalog(ctx: RequestContext) -> list[dict[str, Any]]:
    """Return the enabled services with their enabled endpoints, as tokens carry them; of a project what it was given."""
    endpoints = Endpoint.objects.filter(enabled=True, service__enabled=True).select_related("service")
    shown = endpoints_shown(ctx.project_id) if ctx.project_id else None
    if shown is not None:
        endpoints = endpoints.filter(shown)
    entries: dict[str, dict[str, Any]] = {}
    for row in endpoints.order_by("service__type", "service_id", "interface", "pk"):
        url = address(row.url, ctx)
        if url is None:
            continue
        service = row.service
        entry = entries.setdefault(service.pk, {"endpoints": [], "id": service.pk, "type": service.type, "name": service.name})
        place = {"region_id": row.region_id, "region": row.region_id}
        entry["endpoints"].append({"id": row.pk, "interface": row.interface, **place, "url": url})
    return list(entries.values())


def address(url: str, ctx: RequestContext) -> str | None:
    """Return an endpoint's address for this caller; None when it needs a project and there is none, or cannot be read."""
    values = {"user_id": ctx.user_id}
    if ctx.project_id:
        values |= {"project_id": ctx.project_id, "tenant_id": ctx.project_id}
    try:
        return url.replace("$(", "%(") % values
    except (KeyError, TypeError, ValueError):
        return None


def _get(ctx: RequestContext, rule: Rule, model: type[M], kind: str, key: str) -> M:
    row = model._default_manager.filter(pk=key).first() if "\x00" not in key else None
    authorize(ctx, rule, _present(row))
    return row if row is not None else find(model, kind, key)


def _present(row: Any) -> dict[str, Any]:
    """Return what rules may know of a row, without empty values: an absent domain must not equal an absent scope."""
    target = row.policy_target() if row is not None else {}
    return {key: value for key, value in target.items() if value is not None}


def _domain_target(ctx: RequestContext) -> dict[str, Any]:
    return {"target.domain_id": ctx.domain_id, "target.domain.id": ctx.domain_id} if ctx.domain_id else {}


def _in_domain(rows: QuerySet[M], ctx: RequestContext) -> QuerySet[M]:
    return rows.filter(domain_id=ctx.domain_id) if ctx.domain_id else rows
