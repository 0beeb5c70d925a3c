"""Grant on a cluster what the contracts need, or look at what is granted there. Nothing is taken away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import ClusterAuthorizationFailedError, KafkaError, SecurityDisabled, for_code

from ekiben_bus.acl_plan import AclPlan, Binding, plan_acls, wanted_acls
from ekiben_bus.acl_wire import EVERY_ACL, CreateAcls, bindings_in
from ekiben_bus.administration import TopicsError, administration, until_visible
from ekiben_bus.naming import Naming
from ekiben_bus.principals import principal_of
from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.topics import TOPICS, Topic


class AclsError(TopicsError):
    """The cluster does not tell its access control lists, or does not change them."""


class NoAuthorizerError(AclsError):
    """The cluster refuses nothing to anybody. Its brokers need an authorizer."""


class MayNotGrantError(AclsError):
    """Whoever asks may not. Somebody else has to, or has to allow it."""


async def compare_acls(
    settings: KafkaSettings,
    naming: Naming | None = None,
    *,
    topics: Iterable[Topic] = TOPICS,
    principals: Mapping[str, str] | None = None,
) -> AclPlan:
    """How the cluster differs from what the contracts want. Changes nothing.

    `principals` names those of roles that are not `User:` and the role.

    Raises:
        NoAuthorizerError, MayNotGrantError, UnreachableError: as they say.
    """
    names = naming or Naming()
    wanted = wanted_acls(topics, names, principals)
    async with administration(settings) as admin:
        return plan_acls(wanted, await _described(admin, settings), names)


async def apply_acls(
    settings: KafkaSettings,
    naming: Naming | None = None,
    *,
    topics: Iterable[Topic] = TOPICS,
    principals: Mapping[str, str] | None = None,
) -> AclPlan:
    """Create what is missing and wait until the cluster shows it. Doing it again changes nothing.

    Returns what was found before: `missing` is what was created.

    Raises:
        NoAuthorizerError, MayNotGrantError, UnreachableError: as they say.
        AclsError: the cluster refused one.
    """
    names = naming or Naming()
    wanted = wanted_acls(topics, names, principals)
    async with administration(settings) as admin:
        found = plan_acls(wanted, await _described(admin, settings), names)
        if found.missing:
            await _create(admin, settings, found.missing)
            await until_visible(
                partial(_described, admin, settings),
                partial(_count_of_hidden, wanted),
                "access control lists",
                AclsError,
            )
        return found


async def _described(admin: AIOKafkaAdminClient, settings: KafkaSettings) -> Sequence[Binding]:
    # aiokafka's client has no call of its own for this
    answer = (await admin._send_request(EVERY_ACL)).to_object()  # noqa: SLF001
    _raise_if_refused(answer["error_code"], answer["error_message"], settings, "tell", "Describe")
    return bindings_in(answer)


async def _create(admin: AIOKafkaAdminClient, settings: KafkaSettings, missing: Sequence[Binding]) -> None:
    answer = (await admin._send_request(CreateAcls(missing))).to_object()  # noqa: SLF001 - likewise
    for binding, outcome in zip(missing, answer["creation_responses"], strict=True):
        what = f"create {binding.operation} on {binding.resource} {binding.name} for {binding.principal}:"
        _raise_if_refused(outcome["error_code"], outcome["error_message"], settings, what, "Alter")


def _raise_if_refused(
    code: int, message: str | None, settings: KafkaSettings, what: str, operation: str
) -> None:
    error: type[KafkaError] = for_code(code)
    address, principal = settings.bootstrap_servers, principal_of(settings)
    if code == 0:
        return
    if error is SecurityDisabled:
        raise NoAuthorizerError(
            f"expected an authorizer on the brokers at {address}, found none: nobody is refused anything. "
            "Try authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer in their "
            "settings, or `ekiben up --secure`; `ekiben topics acls --dry-run` needs no broker"
        )
    if error is ClusterAuthorizationFailedError:
        raise MayNotGrantError(
            f"expected {principal} to be allowed {operation} on the cluster at {address}, found it refused. "
            "Try the login of a super user, or somebody else's with this right; "
            "`ekiben topics acls --dry-run` lists what has to be granted"
        )
    raise AclsError(f"expected {address} to {what} access control lists, found {error.__name__}: {message}")


def _count_of_hidden(wanted: Sequence[Binding], shown: Sequence[Binding]) -> str:
    hidden = frozenset(wanted).difference(shown)
    return f"{len(hidden)} of {len(wanted)}" if hidden else ""
