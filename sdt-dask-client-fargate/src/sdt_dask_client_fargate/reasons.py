"""Why a task stopped: what ECS says, how its container ended, and its last words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdt_dask_client_fargate.account import Account
from sdt_dask_client_fargate.wanted import Wanted
from sdt_dask_core.secret import redact

__all__ = ["last_lines", "why_stopped"]

_LINES = 15
_OUT_OF_MEMORY, _NOT_FOUND = 137, 127
_ADVICE = {
    "CannotPullContainer": "check image, that its registry can be reached from the subnets, and that the execution "
    "role may read it",
    "ResourceInitializationError": "check that the subnets lead to ECR, Secrets Manager and CloudWatch, and what the "
    "execution role may read",
    "CannotStartContainer": "the image lacks the program; make it with `sdt-dask image`",
    "Spot": "AWS took the spot capacity back; a new worker is started",
}
_BY_EXIT_CODE = {
    _OUT_OF_MEMORY: "it was killed, most often for more memory than it has; give more memory",
    _NOT_FOUND: "the image lacks the program; make it with `sdt-dask image`",
}


def why_stopped(account: Account, wanted: Wanted, name: str, task: Mapping[str, Any]) -> str:
    """Return why a task stopped, in one text for people.

    Parameters
    ----------
    account : Account
        Where its log is.
    wanted : Wanted
        Of the cluster.
    name : str
        Of the cluster: the prefix of its log streams.
    task : mapping
        What ECS says of the task.
    """
    container = (task.get("containers") or [{}])[0]
    reasons = dict.fromkeys(
        str(each.get(word) or "") for each, word in ((task, "stoppedReason"), (container, "reason"))
    )
    texts = [reason for reason in reasons if reason]
    code = container.get("exitCode")
    if code is not None:
        texts.append(f"exit code {code}")
    advice = [text for word, text in _ADVICE.items() if word in " ".join(texts)] or [_BY_EXIT_CODE.get(code or 0, "")]
    lines = last_lines(account, wanted.log_group, f"{name}/{container.get('name', '')}/{_id(task)}")
    told = "; ".join([*texts, *filter(None, advice)]) or "ECS gives no reason"
    return told + (f"; its last lines in the log group {wanted.log_group}:\n{lines}" if lines else "")


def last_lines(account: Account, group: str, stream: str) -> str:
    """Return the last lines of a log stream, nothing where there are none or AWS does not show them."""
    try:
        events = account.client("logs").get_log_events(
            logGroupName=group, logStreamName=stream, limit=_LINES, startFromHead=False
        )["events"]
    except Exception:  # noqa: BLE001 - the reason is worth telling without them
        return ""
    return redact("\n".join(f"  {event['message'].rstrip()}" for event in events[-_LINES:]))


def _id(task: Mapping[str, Any]) -> str:
    return str(task.get("taskArn", "")).rpartition("/")[2]
