"""What a student is trained on, token by token: the served prompt, the chain, and the token that ends an answer.

Trainers that hand the whole conversation to the chat template train on what the template makes of it: some templates
strip the thought or wrap it in an empty one, some trim it, some end a turn with a token on which no engine stops. Here
the text is assembled as an engine sees it: the prompt as it is served, the chain unchanged, and the end that the
template writes after an answer. A template that does not fit is an error before anything is trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medo1.answers.thinking import answer_part
from medo1.engines.base import Model
from medo1.errors import UserError
from medo1.lineage.digests import digest_of_value

IGNORED = -100  # PyTorch's label of a position without loss
_ANSWER = "0f3a an answer 9c1b"  # stands where the chain will
_QUESTION = "A question?"
# Line ends are written as values, for those of the template itself are dropped after a tag. The prompt ends with one:
# a space would be one token with the first word of an answer.
PLAIN_TEMPLATE = (
    "{{ bos_token or '' }}{% for message in messages %}{{ message['role'] + ':\\n' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\\n\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:\\n' }}{% endif %}"
)


class TemplateError(UserError):
    """This model's chat template cannot be trained on; the text says what it does and what to write where."""


class ChainTextError(ValueError):
    """One chain cannot be trained on; the text says why."""


@dataclass(frozen=True, slots=True)
class TokenizedChain:
    """A training text as tokens.

    Attributes:
        prompt: what the engine sends to the model.
        answer: the chain, and the stop token: what the loss covers.
        rest: what the template writes after the stop token.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    rest: tuple[int, ...] = ()

    @property
    def ids(self) -> list[int]:
        return [*self.prompt, *self.answer, *self.rest]

    def labels(self, train_after_stop: bool) -> list[int]:
        """As `ids`, with -100 where there is no loss."""
        rest = self.rest if train_after_stop else (IGNORED,) * len(self.rest)
        return [*(IGNORED,) * len(self.prompt), *self.answer, *rest]


def tokenizer_of(model: Model) -> Any:
    """The model's tokenizer.

    Raises:
        UserError: when there is none.
    """
    from transformers import AutoTokenizer

    source, revision = source_of(model)
    try:
        return AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"The tokenizer of {source} cannot be loaded: {_head(error)}. Give a directory with tokenizer.json, or "
            "a hub id that is in the cache or can be downloaded."
        ) from error


def source_of(model: Model) -> tuple[str, str | None]:
    """What transformers loads a model by: its path, or its hub id and revision."""
    return str(model.path or model.name), None if model.path else model.revision


def config_of(model: Model) -> Any:
    """The model's configuration.

    Raises:
        UserError: when there is none.
    """
    from transformers import AutoConfig

    source, revision = source_of(model)
    try:
        return AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"The configuration of {source} cannot be loaded: {_head(error)}. Give a directory with config.json, or "
            "a hub id that is in the cache or can be downloaded."
        ) from error


def stop_tokens_of(model: Model, tokenizer: Any) -> frozenset[int]:
    """The ids that end an answer: the tokenizer's, and those that the model's files name for generation.

    Raises:
        TemplateError: when there is none.
    """
    from transformers import GenerationConfig

    source, revision = source_of(model)
    try:
        named = GenerationConfig.from_pretrained(source, revision=revision).eos_token_id
    except (OSError, ValueError):
        named = getattr(config_of(model).get_text_config(), "eos_token_id", None)
    ids = named if isinstance(named, list) else [named]
    found = frozenset(int(token) for token in (tokenizer.eos_token_id, *ids) if token is not None)
    if not found:
        raise TemplateError(
            f"The model {model.name} names no token that ends an answer, so the student could never stop. Set "
            "eos_token in its tokenizer_config.json, or eos_token_id in its generation_config.json."
        )
    return found


def chat_template_of(model: Model, kwargs: Mapping[str, Any]) -> ChatTemplate:
    """A model's chat template, checked.

    Raises:
        TemplateError: when it cannot be trained on.
    """
    tokenizer = tokenizer_of(model)
    return ChatTemplate(tokenizer, stop_tokens_of(model, tokenizer), kwargs, name=model.name)


class ChatTemplate:
    """How one model's tokenizer renders a question and a chain.

    Args:
        tokenizer: a Hugging Face tokenizer.
        stop_tokens: the ids on which engines stop.
        kwargs: `chat_template_kwargs` of training and of serving, such as `{"enable_thinking": False}`.
        name: the model's, for messages.

    Raises:
        TemplateError: when the template cannot be trained on.
    """

    def __init__(
        self, tokenizer: Any, stop_tokens: frozenset[int], kwargs: Mapping[str, Any] | None = None, name: str = ""
    ) -> None:
        self._tokenizer = tokenizer
        self.stop_tokens = stop_tokens
        self.kwargs = dict(kwargs or {})
        self.name = name or str(tokenizer.name_or_path)
        self.rewritten = 0  # chains that the template itself would have changed
        if not tokenizer.chat_template:
            raise TemplateError(
                f"{self.name} has no chat template: it is a base model. Put a chat_template.jinja into its directory "
                "(docs/fine_tune.md has one that fits every tokenizer); engines read it there too."
            )
        self.served = self._rendered([_user(_QUESTION)], generate=True)
        self.opening = self._opening()
        self.tail = self._tail()
        self._control_tokens = self._controls
        self._refuse_other_prompt_ids()
        self.end = self._end()

    @property
    def template_digest(self) -> str:
        """Of the template's text and its arguments."""
        return digest_of_value([self._tokenizer.chat_template, self.kwargs])

    @property
    def pad_token(self) -> str:
        """A token to fill up rows with that is no stop token; masked, so that it is never learnt."""
        tokenizer = self._tokenizer
        named = [tokenizer.pad_token, getattr(tokenizer, "unk_token", None), *tokenizer.all_special_tokens]
        for token in (*named, *tokenizer.convert_ids_to_tokens(range(min(len(tokenizer), 64)))):
            if token is not None and tokenizer.convert_tokens_to_ids(token) not in self.stop_tokens:
                return str(token)
        raise TemplateError(f"The tokenizer of {self.name} has no token but stop tokens to pad with.")

    @property
    def pad_id(self) -> int:
        """The id of `pad_token`."""
        return int(self._tokenizer.convert_tokens_to_ids(self.pad_token))

    def tokenized(self, prompt: str, chain: str) -> TokenizedChain:
        """A question's prompt and its chain as tokens.

        Raises:
            ChainTextError: when the chain is empty, holds a control token of the model, or does not close a thought
                that the prompt opens.
        """
        if not chain.strip():
            raise ChainTextError("the chain is empty: there is no token to learn from")
        head = self._rendered([_user(prompt)], generate=True)
        if _thinking(self._spoken_opening + chain) == "open" and _thinking(chain) != "open":
            raise ChainTextError(
                f"{self.name} opens a thought before every answer ({self.opening!r}), and the chain does not close it: "
                "what it says would be thought for ever. Set chat_template_kwargs to what opens none, such as "
                "{enable_thinking: false}, or write chains with the closing mark"
            )
        prompt_ids = self._ids(head)
        rest_ids = self._answer_ids(head, prompt_ids, chain + self.tail)
        tail_length = len(self._ids(self.tail))
        first_stop = next((place for place, token in enumerate(rest_ids) if token in self.stop_tokens), None)
        body = len(rest_ids) - tail_length
        controls = [token for token in rest_ids[:body] if token in self._control_tokens]
        if controls:
            shown = self._tokenizer.convert_ids_to_tokens(controls[0])
            raise ChainTextError(f"the chain holds the model's control token {shown!r}")
        if self._appended_stop is not None:
            answer, rest = [*rest_ids[:body], self._appended_stop], []
        else:
            assert first_stop is not None
            answer, rest = rest_ids[: first_stop + 1], rest_ids[first_stop + 1 :]
        if not self._rendered_as_is(head, prompt, chain):
            self.rewritten += 1
        return TokenizedChain(tuple(prompt_ids), tuple(answer), tuple(rest))

    def text_of(self, tokens: Sequence[int]) -> str:
        """Tokens as text, special ones left out."""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def tokens_of(self, ids: Sequence[int]) -> list[str]:
        """Each token as the text that it stands for, control tokens by name."""
        return [str(self._tokenizer.decode([token], clean_up_tokenization_spaces=False)) for token in ids]

    def described(self) -> dict[str, Any]:
        """What is trained and served, for an artifact: JSON values."""
        tokens = self._tokenizer.convert_ids_to_tokens
        bos = self._tokenizer.bos_token_id
        served = self._ids(self.served)
        adds_bos = bos is not None and list(self._tokenizer("x")["input_ids"])[:1] == [bos]
        return {
            "model": self.name,
            "chat_template_kwargs": self.kwargs,
            "template_sha256": self.template_digest,
            "prompt_starts_with": tokens(served[:1]),
            "begin_token_left_out": bool(adds_bos and served[:1] != [bos]),
            "opens_answer_with": self.opening,
            "template_ends_answer_with": self.tail,
            "stop_tokens": sorted(tokens(sorted(self.stop_tokens))),
            "trained_stop_token": tokens([self.end])[0],
            "stop_token_appended": self._appended_stop is not None,
            "pad_token": self.pad_token,
            "template_would_rewrite": self.rewritten,
        }

    # How the template is taken apart

    @property
    def _controls(self) -> frozenset[int]:
        added = getattr(self._tokenizer, "added_tokens_decoder", {})
        marked = {int(token) for token, added_token in added.items() if added_token.special}
        return frozenset(self._tokenizer.all_special_ids) | marked | self.stop_tokens

    @property
    def _spoken_opening(self) -> str:
        """The last line that the template writes before an answer, without its control tokens."""
        text = self.opening
        for token in self._tokenizer.convert_ids_to_tokens(sorted(self._control_tokens)):
            text = text.replace(str(token), "")
        line = text.strip().rpartition("\n")[2]
        return f"{line}\n" if line else ""

    def _rendered(self, turns: list[dict[str, str]], generate: bool) -> str:
        from jinja2 import TemplateError as JinjaError

        try:
            return str(
                self._tokenizer.apply_chat_template(
                    turns, tokenize=False, add_generation_prompt=generate, **self.kwargs
                )
            )
        except (JinjaError, ValueError, TypeError) as error:
            roles = ", ".join(turn["role"] for turn in turns)
            raise TemplateError(
                f"The chat template of {self.name} refuses a conversation of the turns {roles}: {_head(error)}. "
                "Use the template that the model is served with, and chat_template_kwargs that it knows."
            ) from error

    def _opening(self) -> str:
        """What the template writes before an answer."""
        asked = self._rendered([_user(_QUESTION)], generate=False)
        return self.served[len(asked) :] if self.served.startswith(asked) else ""

    def _tail(self) -> str:
        """What the template writes after an answer."""
        whole = self._rendered([_user(_QUESTION), _assistant(_ANSWER)], generate=False)
        before, found, tail = whole.rpartition(_ANSWER)
        if not found:
            raise TemplateError(
                f"The chat template of {self.name} does not write what the assistant says. Use the template that "
                "the model is served with."
            )
        gap = before[len(self.served) :] if before.startswith(self.served) else ""
        if self._controls.intersection(self._ids(gap)):
            raise TemplateError(
                f"The chat template of {self.name} writes {gap!r} before an answer, and leaves it out of the prompt "
                "that is served: the student would be trained on another prompt than it is asked with. The "
                "template must write it where add_generation_prompt is true."
            )
        return tail

    def _refuse_other_prompt_ids(self) -> None:
        """The served ids, rendered and tokenised in one step or in two, are the same, with one begin token at most."""
        ids = self._ids(self.served)
        encoded = self._tokenizer.apply_chat_template(
            [_user(_QUESTION)], tokenize=True, add_generation_prompt=True, **self.kwargs
        )
        together = list(encoded["input_ids"] if hasattr(encoded, "keys") else encoded)
        bos = self._tokenizer.bos_token_id
        if together != ids:
            raise TemplateError(
                f"The tokenizer of {self.name} gives other tokens for a prompt that it renders itself "
                f"({together[:4]} ...) than for the rendered text ({ids[:4]} ...): engines would not see what was "
                "trained on."
            )
        if bos is not None and ids[:2] == [bos, bos]:
            shown = self._tokenizer.bos_token
            raise TemplateError(
                f"Prompts of {self.name} begin with {shown!r} twice. Take it out of the chat template, or set "
                "add_bos_token to false in tokenizer_config.json."
            )

    def _end(self) -> int:
        """The stop token that is trained; appended where the template writes none."""
        ids = self._ids(self.tail)
        found = next((token for token in ids if token in self.stop_tokens), None)
        self._appended_stop: int | None = None
        if found is not None:
            return found
        if self.tail.strip():
            tokens = self._tokenizer.convert_ids_to_tokens(sorted(self.stop_tokens))
            raise TemplateError(
                f"The chat template of {self.name} ends an answer with {self.tail!r}, which holds none of the "
                f"tokens that engines stop on ({', '.join(map(repr, tokens))}): the student would never stop. Add "
                "the id of the token that ends a turn to eos_token_id in generation_config.json."
            )
        self.tail = ""
        eos = self._tokenizer.eos_token_id
        self._appended_stop = int(eos) if eos is not None else min(self.stop_tokens)
        return self._appended_stop

    def _rendered_as_is(self, head: str, prompt: str, chain: str) -> bool:
        whole = self._rendered([_user(prompt), _assistant(chain)], generate=False)
        return whole.startswith(head + chain) and whole.strip().endswith((chain + self.tail).strip())

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"]) if text else []

    def _answer_ids(self, head: str, prompt_ids: list[int], text: str) -> list[int]:
        """The tokens of an answer where the prompt's end. Tokenised with its prompt, and alone where the two would
        merge: that is where the model stands when it begins to write."""
        whole = self._ids(head + text)
        if whole[: len(prompt_ids)] == prompt_ids:
            return whole[len(prompt_ids) :]
        alone = self._ids(text)
        decode = self._tokenizer.decode
        written = decode([*prompt_ids, *alone], clean_up_tokenization_spaces=False)
        if written != decode(whole, clean_up_tokenization_spaces=False):
            raise ChainTextError(
                f"its first characters ({text[:12]!r}) merge with the end of the prompt into one token, and cannot be "
                "tokenised without it"
            )
        return alone


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _thinking(text: str) -> str:
    return answer_part(text, text.lower()).thinking


def _head(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
