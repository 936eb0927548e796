"""Policies that identity keeps for other services, and for whom they are (OS-ENDPOINT-POLICY)."""

from typing import Any

from accounts import policies, selectors
from accounts.models import Endpoint, Policy, PolicyAssociation, Region
from accounts.services.writing import change
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import Rule, authorize

_CREATE = {
    "endpoint": policies.CREATE_POLICY_FOR_ENDPOINT,
    "service": policies.CREATE_POLICY_FOR_SERVICE,
    "region": policies.CREATE_POLICY_FOR_REGION,
}
_CHECK = {
    "endpoint": policies.CHECK_POLICY_FOR_ENDPOINT,
    "service": policies.CHECK_POLICY_FOR_SERVICE,
    "region": policies.CHECK_POLICY_FOR_REGION,
}
_DELETE = {
    "endpoint": policies.DELETE_POLICY_FOR_ENDPOINT,
    "service": policies.DELETE_POLICY_FOR_SERVICE,
    "region": policies.DELETE_POLICY_FOR_REGION,
}


def create(*, ctx: RequestContext, **values: Any) -> Policy:
    """Return a new policy."""
    authorize(ctx, policies.CREATE_POLICY)
    policy = Policy()
    change(policy, values)
    policy.save(force_insert=True)
    return policy


def update(*, ctx: RequestContext, policy: Policy, **changes: Any) -> Policy:
    """Change a policy."""
    authorize(ctx, policies.UPDATE_POLICY, policy)
    change(policy, changes)
    policy.save()
    return policy


def delete(*, ctx: RequestContext, policy: Policy) -> None:
    """Delete a policy; it is no more for anybody."""
    authorize(ctx, policies.DELETE_POLICY, policy)
    policy.delete()


def associate(*, ctx: RequestContext, policy: Policy, **target: Any) -> None:
    """Let a policy be for ``endpoint=``, ``service=``, or ``service=`` in ``region=``, instead of the one that was."""
    authorize(ctx, _rule(_CREATE, target))
    columns = _columns(target)
    PolicyAssociation.objects.filter(**columns).exclude(policy=policy).delete()
    if not PolicyAssociation.objects.filter(policy=policy, **columns).exists():
        PolicyAssociation.objects.create(policy=policy, **columns)


def check(*, ctx: RequestContext, policy: Policy, **target: Any) -> None:
    """Return when a policy is for the target itself; raises NotFound otherwise."""
    authorize(ctx, _rule(_CHECK, target))
    if not PolicyAssociation.objects.filter(policy=policy, **_columns(target)).exists():
        raise NotFound("policy association", policy.pk, "Could not find policy association.")


def dissociate(*, ctx: RequestContext, policy: Policy, **target: Any) -> None:
    """Let a policy be no more for the target; that it was not is no error."""
    authorize(ctx, _rule(_DELETE, target))
    PolicyAssociation.objects.filter(policy=policy, **_columns(target)).delete()


def of_endpoint(*, ctx: RequestContext, endpoint: Endpoint) -> Policy:
    """Return the policy of an endpoint: its own, else its service's in its region or one above, else its service's."""
    authorize(ctx, policies.GET_POLICY_FOR_ENDPOINT)
    rows = PolicyAssociation.objects.select_related("policy")
    own = rows.filter(endpoint=endpoint).first()
    region: Region | None = endpoint.region
    while own is None and region is not None:
        own = rows.filter(service_id=endpoint.service_id, region=region).first()
        region = region.parent
    own = own or rows.filter(service_id=endpoint.service_id, region=None).first()
    if own is None:
        raise NotFound("policy", endpoint.pk, f"No policy is associated with endpoint {endpoint.pk}.")
    return own.policy


def endpoints_of(*, ctx: RequestContext, policy: Policy) -> list[Endpoint]:
    """Return the endpoints whose policy this is in the end."""
    authorize(ctx, policies.LIST_ENDPOINTS_FOR_POLICY)
    found = []
    for endpoint in selectors.endpoints_of_policy(policy):
        try:
            if of_endpoint(ctx=ctx, endpoint=endpoint) == policy:
                found.append(endpoint)
        except NotFound:
            continue
    return found


def _rule(rules: dict[str, Rule], target: dict[str, Any]) -> Rule:
    return rules[next(kind for kind in ("endpoint", "region", "service") if target.get(kind) is not None)]


def _columns(target: dict[str, Any]) -> dict[str, Any]:
    return {kind: target.get(kind) for kind in ("endpoint", "service", "region")}
