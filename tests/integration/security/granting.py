"""Grants given and taken away behind Ekiben's back, by a client that has no Ekiben in it."""

from __future__ import annotations

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from ekiben_bus.acl_plan import Binding
from ekiben_bus.settings import KafkaSettings
from integration.security.probing import login_of


def give(admin: KafkaSettings, binding: Binding) -> None:
    """Create it."""
    client = AdminClient(login_of(admin))  # without a name it would be gone before the answer
    (created,) = client.create_acls([AclBinding(*_fields(binding))]).values()
    created.result()


def take(admin: KafkaSettings, binding: Binding) -> None:
    """Delete it; it has to be there."""
    client = AdminClient(login_of(admin))
    (deleted,) = client.delete_acls([AclBindingFilter(*_fields(binding))]).values()
    assert len(deleted.result()) == 1


def _fields(binding: Binding) -> tuple[object, ...]:
    return (
        ResourceType[binding.resource.upper()],
        binding.name,
        ResourcePatternType[binding.pattern.upper()],
        binding.principal,
        binding.host,
        AclOperation[binding.operation.upper()],
        AclPermissionType.ALLOW,
    )
