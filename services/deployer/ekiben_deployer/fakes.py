"""The MLOps tools in memory, for the deployer's tests."""

from __future__ import annotations

from ekiben_contracts.training import ModelTrained
from ekiben_deployer.ports import StepFailedError
from ekiben_deployer.stages import Stage


class FakePackager:
    """Names a Bento after the version. Set `refusal` to refuse; `built` has each build once."""

    def __init__(self) -> None:
        self.refusal: str | None = None
        self.built: list[str] = []

    async def package(self, trained: ModelTrained) -> str:
        """See Packager.package."""
        if self.refusal is not None:
            raise StepFailedError(self.refusal)
        bento = f"{trained.model}:{trained.version}-fake"
        if bento not in self.built:
            self.built.append(bento)
        return bento


class FakeRegistry:
    """Remembers the marks. Set `broken` to be away."""

    def __init__(self) -> None:
        self.broken: Exception | None = None
        self.champions: dict[str, str] = {}
        self.stages: dict[tuple[str, str], Stage] = {}

    async def promote(self, model: str, version: str) -> None:
        """See Registry.promote."""
        if self.broken is not None:
            raise self.broken
        self.champions[model] = version
        self.stages[model, version] = Stage.PRODUCTION

    async def mark(self, model: str, version: str, stage: Stage) -> None:
        """See Registry.mark."""
        if self.broken is not None:
            raise self.broken
        self.stages[model, version] = stage
