"""Events in one line each, for people."""

from __future__ import annotations

from ekiben.results import Result
from ekiben_contracts.deployment import DeploymentProgressed
from ekiben_contracts.prediction import PredictionFailed


def line_of(result: Result) -> str:
    """A result: what was asked, what came of it."""
    subject = f"{result.request_id}  {result.model or '-'}  {result.entity_id or '-'}"
    if isinstance(result, PredictionFailed):
        return f"failed     {subject}  {result.code}: {result.message}"
    parts = [f"completed  {subject}  {result.prediction:.6g}"]
    if result.label is not None:
        parts.append(f"({result.label})")
    if result.interval is not None:
        interval = result.interval
        parts.append(f"in [{interval.low:.6g}, {interval.high:.6g}] at {interval.coverage:.0%}")
    parts.append(f"confidence {result.confidence:.2f}  {result.method}  {result.latency_ms:.0f} ms")
    if result.missing:
        parts.append("without " + ", ".join(missing.model for missing in result.missing))
    if result.late:
        parts.append("late")
    return "  ".join(parts)


def line_of_step(step: DeploymentProgressed) -> str:
    """A step of a deployment, and its reason."""
    version = f" {step.version}" if step.version else ""
    return f"{step.step:<12} {step.model}{version}  {step.reason}"
