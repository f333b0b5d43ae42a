"""What a response without a completion means: wait, retry, drop a parameter, or stop.

Sources: the error references of OpenAI, Azure, Anthropic, Google (`google.rpc.Code`), DeepSeek, Mistral, Together and
OpenRouter; vLLM's and FastAPI's forms; RFC 9110.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from medo1.engines.base import Message
from medo1.engines.http.chat import Dialect
from medo1.engines.http.limits import retry_after_s
from medo1.engines.http.secrets import without_secrets
from medo1.engines.thought import storable

ERROR_TEXT = 500  # characters of a server's error text that are kept
Kind = Literal["refused", "retry", "unusable", "parameter", "request", "filtered", "fatal"]

# A status by the names that providers give to errors, in headers' absence: inside of a response with status 200.
STATUS_OF: dict[str, int] = {
    **dict.fromkeys(
        ("resource_exhausted", "rate_limit_exceeded", "rate_limit_error", "rate_limited", "too_many_requests",
         "throttling", "throttlingexception", "ratelimiterror", "rate_limit"), 429,
    ),
    **dict.fromkeys(("overloaded_error", "overloaded", "engine_overloaded", "server_overloaded", "unavailable"), 503),
    **dict.fromkeys(
        ("invalid_api_key", "authentication_error", "unauthenticated", "unauthorized", "invalid_authentication"), 401
    ),
    **dict.fromkeys(("insufficient_quota", "insufficient_balance", "payment_required", "billing_error"), 402),
    **dict.fromkeys(("permission_denied", "permission_error", "forbidden", "access_denied"), 403),
    **dict.fromkeys(("not_found", "not_found_error", "model_not_found", "notfounderror"), 404),
    **dict.fromkeys(
        ("invalid_request_error", "invalid_argument", "bad_request", "badrequesterror", "failed_precondition",
         "context_length_exceeded", "unsupported_parameter", "unsupported_value", "invalid_value"), 400,
    ),
    **dict.fromkeys(("deadline_exceeded", "timeout", "timeout_error", "gateway_timeout"), 504),
    **dict.fromkeys(("internal", "internal_error", "server_error", "internal_server_error", "api_error"), 500),
}  # fmt: skip

TOO_FAST = {429, 502, 503, 529}  # no server behind the gateway, or overloaded (529: Anthropic's gateways)
FILTERED = {"content_filter", "content_policy_violation", "responsibleaipolicyviolation", "data_inspection_failed"}
# Fatal whatever the status (neither waiting nor another request helps): a subject and, near it, what is wrong with it.
_WRONG = (
    r"invalid|incorrect|wrong|missing|expired|revoked|disabled|unknown|no\ such|unavailable|insufficient|exceed\w*|"
    r"exhausted|reached|denied|required|retired|deprecated|decommissioned|withdrawn|no\ longer|suspended|negative|"
    r"deactivated|too\ low|\blow\b|depleted|empty|out\ of|lacks?\b|without|forbidden|removed|unrecogni[sz]ed|blocked|"
    r"not\ enough|used\ up|closed|unpaid|overdue|not\ (?:\w+\ )?(?:found|exist|valid|available|allowed|authori[sz]ed|"
    r"active|enabled|have|cover|permit\w*|provided?|set)|n't\ (?:\w+\ )?(?:found|exist|have)|could\ not|cannot|can't|"
    r"\bno\b|check|recharge|top\ up|add\ more"
)
_OURS = (
    r"(?:api|access|secret|subscription|auth\w*)[\s_-]?key|\bkey\b|credentials?|auth(?:entication|orization)?[\s_-]token|"
    r"bearer\ token|balance|\bcredits?\b|quota|billing|payment|\bfunds?\b|permissions?|\baccess\b|\baccount\b|"
    r"subscription|spending\ limit|hard\ limit"
)
KEY_OR_MONEY = re.compile(
    rf"(?ix) (?:{_OURS})\b[^.\n]{{0,80}}?(?:{_WRONG}) | (?:{_WRONG})[^.\n]{{0,60}}?(?:{_OURS})"
    r"| unauthori[sz]ed | not\ authori[sz]ed | authentication\ (?:failed|error) | payment\ required | \bforbidden\b"
)
MODEL_GONE = re.compile(
    r"""(?ix) (?<!with\ this\ )(?<!with\ the\ )(?<!by\ this\ )(?<!by\ the\ )(?<!for\ this\ )
    \b model (?:s|\ id|\ name)? \b [^.\n]{0,120}? (?:not\ (?:\w+\ )?(?:found|exist|available|supported|served|deployed)
    | does\s?n[o']t\ exist | unknown | no\ longer | retired | deprecated | decommissioned | withdrawn | sunset
    | not\ loaded | shut\ down | removed | unavailable | end\ of\ life | invalid | cannot\ be\ found)
    | (?:unknown|no\ such|invalid|unsupported|unrecogni[sz]ed|not\ find|cannot\ find)\W+(?:\w+\W+){0,2}?model\b"""
)
ABOUT_PARAMETER = re.compile(
    r"(?i)max_\w*tokens|temperature|top_p|top_k|logprobs|\bseed\b|\bstop\b|reasoning_effort|parameter|\brole\b|messages?\[|"
    r"response_format|field|argument|extra inputs"
)
# Words that a rate limit uses too: then waiting does help.
PER_MINUTE = re.compile(
    r"(?i)per[\s_-]*(?:second|minute|hour|day)|\b[rt]p[sm]\b|try again|retry|slow down|rate.?limit|too many"
)
ABOUT_LENGTH = re.compile(
    r"(?i)context.{0,20}(?:length|window|size)|max_model_len|too (?:long|many tokens)|maximum.{0,20}tokens"
)
ABOUT_ROLE = re.compile(r"(?i)\brole\b|\bsystem\b.{0,20}(?:message|prompt|role|instruction)")
UNSUPPORTED = re.compile(
    r"(?i)n[o']t\s+(?:\w+\s+){0,2}?(?:support|permit|allow|accept|recogni|valid|possible|implement|available|take)|"
    r"unsupported|unknown|unrecogni|unexpected|extra (?:inputs|fields|parameters)|no longer|deprecated|use '?max_|"
    r"invalid (?:param|arg|field)|only"
)
# Parameters whose names are words that a prompt may hold, so that an error which repeats it means nothing.
WORDS = {"temperature", "stop", "seed", "n", "model", "user", "metadata"}
KEPT = {"model", "messages", "prompt", "max_tokens", "max_completion_tokens"}  # without these a request is another one
CONTINUING = {"continue_final_message", "add_generation_prompt"}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a response holds no completion.

    Attributes:
        kind: `refused` (too fast: wait, then send again; nothing was billed), `retry` (the server failed), `unusable`
            (an answer came whole, was billed, and is none), `parameter` (the model may not take a parameter: see
            `learned`), `request` (this request can never be answered), `filtered` (refused by a content filter),
            `fatal` (no request can be answered).
        text: status and the server's words.
        code, param: as the server names them.
        retry_after_s: when to come back, where said.
        billed: it may have been billed nevertheless.
        prompt_tokens, completion_tokens: what was billed, where the server says.
    """

    kind: Kind
    text: str
    code: str = ""
    param: str = ""
    retry_after_s: float | None = None
    billed: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def failure_from(status: int, headers: Mapping[str, str], payload: bytes) -> Failure:
    """What a response with a status other than 200 means."""
    text, code, param = _error_words(payload)
    if status in range(300, 400) and (location := headers.get("location")):
        text = f"moved to {without_secrets(location)}: write that address as the engine's `base_url`"
    return _judged(status, text, code, param, retry_after_s(headers))


def failure_within(answer: Any) -> Failure | None:
    """What a response with status 200 means that holds an error in place of an answer; None where it holds none.

    Args:
        answer: the response's JSON, or one of its choices.
    """
    if not isinstance(answer, Mapping):
        return None
    error = answer.get("error")
    wordy = (
        answer.get("object") == "error"
        or answer.get("type") == "error"
        or (
            "choices" not in answer
            and "message" not in answer.get("delta", {})
            and any(map(answer.get, ("detail", "errors")))
        )
    )
    if not error and not wordy:
        return None
    text, code, param = _words_of(answer)
    within = error if isinstance(error, Mapping) else answer
    named = [within.get(name) for name in ("code", "status", "status_code", "http_status", "type")]
    status = next((number for one in named if (number := _status(one)) is not None), None)
    if status is None or status in range(200, 300):
        status = 429 if PER_MINUTE.search(text) else 500
    found = _judged(status, text, code, param, _wait_within(within))
    return replace(found, text=found.text.replace("HTTP ", "HTTP 200 with error ", 1), billed=found.kind == "retry")


def _judged(status: int, text: str, code: str, param: str, wait: float | None) -> Failure:  # noqa: PLR0911
    said = f"HTTP {status}: {text or 'no reason given'}"
    name = code.lower()
    words = f"{name} {text}"
    if name in FILTERED:
        return Failure("filtered", said, code, param)
    if status == 402 or STATUS_OF.get(name) == 402:  # noqa: PLR2004
        return Failure("fatal", said, code, param)
    if status in {401, 403, 404, 405} or status in range(300, 400):
        return Failure("fatal", said, code, param)
    ours = KEY_OR_MONEY.search(words) is not None
    gone = MODEL_GONE.search(words) is not None and param in {"", "model"} and not ABOUT_PARAMETER.search(text)
    if (
        (ours or gone)
        and not ABOUT_LENGTH.search(text)
        and not (status in TOO_FAST and (wait is not None or PER_MINUTE.search(text)))
    ):
        return Failure("fatal", said, code, param)
    if status in TOO_FAST:
        return Failure("refused", said, code, param, wait)
    if status in {408, 409, 425} or status >= 500:  # noqa: PLR2004
        # A gateway (504) or a proxy (408, 524) gave up waiting; the server behind it may not have.
        return Failure("retry", said, code, param, wait, billed=status in {408, 504, 522, 524})
    if status in {400, 422}:
        return Failure("parameter", said, code, param)
    return Failure("request", said, code, param)


def learned(
    dialect: Dialect,
    failure: Failure,
    body: Mapping[str, Any],
    messages: Sequence[Message],
    needed: Collection[str] = (),
) -> tuple[Dialect, str] | None:
    """The dialect after a refused parameter, and what is done about it; None where nothing can be.

    Args:
        dialect: in which the request was sent.
        failure: what the server says of it.
        body: what was sent; what is not in it cannot have been refused.
        messages: the conversation, whose words an error may repeat.
        needed: parameters without which the answer would be drawn in another way than was asked for.
    """
    about = f"{failure.param} {failure.text}"
    other: Literal["max_tokens", "max_completion_tokens"]
    other = "max_completion_tokens" if dialect.limit == "max_tokens" else "max_tokens"
    refused = _names(dialect.limit, about) and not ABOUT_LENGTH.search(failure.text)
    wants_other = _names(other, failure.text) or UNSUPPORTED.search(failure.text) is not None
    if refused and wants_other and not dialect.limit_learned:
        return replace(dialect, limit=other, limit_learned=True), f"sent as `{other}` from here on"
    has_system = dialect.system != "user" and any(message.role == "system" for message in messages)
    if has_system and ABOUT_ROLE.search(about):
        developer = "developer" in failure.text and dialect.system == "system"
        told = "under the role `developer`" if developer else "in the user's message"
        better = replace(dialect, system="developer" if developer else "user")
        return better, f"system messages are sent {told} from here on"
    prompt = " ".join(message.content for message in messages)
    for name in sorted(set(body) - KEPT - CONTINUING - set(needed), key=len, reverse=True):
        if name in dialect.dropped or not _names(name, about):
            continue
        quoted = failure.param.split(".")[0] == name or re.search(rf"['\"`\[]{re.escape(name)}['\"`\]]", about)
        if name in WORDS and _names(name, prompt) and not quoted:
            continue
        gone = {name, "top_logprobs"} if name == "logprobs" else {name}
        return replace(dialect, dropped=dialect.dropped | gone), f"`{name}` is not sent from here on"
    return None


def advice(failure: Failure, body: Mapping[str, Any]) -> str:
    """Which option of the engine turns off what a server refuses, where the refusal names it."""
    about = f"{failure.param} {failure.text}"
    if any(_names(name, about) for name in CONTINUING & set(body)):
        return "; the server does not continue an answer like this: set the engine's `continuation` to `ask`"
    if ABOUT_LENGTH.search(failure.text):
        return ""
    if any(_names(name, about) for name in ("max_tokens", "max_completion_tokens")):
        return "; set the engine's `reasoning` to true or false, or lower `max_new_tokens`"
    return ""


def _names(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", text) is not None


def _status(value: Any) -> int | None:
    """A status by its number or by a provider's name for it."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 200 <= value < 600 else None  # noqa: PLR2004
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"[2-5]\d\d", value) else STATUS_OF.get(value.lower())
    return None


def _wait_within(error: Mapping[str, Any]) -> float | None:
    """When to come back, where an error inside of a body says so (Google's RetryInfo, others' `retry_after`)."""
    details = error.get("details")
    places = [error, *(one for one in (details if isinstance(details, list) else []) if isinstance(one, Mapping))]
    for place in places:
        for name in ("retryDelay", "retry_after", "retry_after_seconds"):
            value = place.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return retry_after_s({"retry-after": str(value)})
            if isinstance(value, str):
                return retry_after_s({"retry-after": value.removesuffix("s")})
    return None


def _error_words(payload: bytes) -> tuple[str, str, str]:
    """A server's own message, code and parameter, in OpenAI's form, vLLM's, FastAPI's, Google's or none."""
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        return shown(payload), "", ""
    return _words_of(answer[0] if isinstance(answer, list) and answer else answer)


def _words_of(answer: Any) -> tuple[str, str, str]:
    error = (answer.get("error") or answer) if isinstance(answer, Mapping) else answer
    if isinstance(error, Mapping):
        words = next(
            (error[name] for name in ("message", "detail", "msg", "errors", "error") if error.get(name)), error
        )
        words = words if isinstance(words, str) else json.dumps(words, ensure_ascii=False)
        code = error.get("code")
        if code is None or isinstance(code, int):
            code = error.get("status") or error.get("type") or code
        return storable(words)[:ERROR_TEXT], storable(str(code or "")), storable(str(error.get("param") or ""))
    return storable(str(error))[:ERROR_TEXT], "", ""


def shown(payload: bytes) -> str:
    """The beginning of a body, for messages."""
    return repr(payload[:120].decode("utf-8", "replace")) if payload else "an empty body"
