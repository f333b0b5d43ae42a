"""The forms of benchmark files found in the wild, one module each: how each is recognised and how a row is read."""

from medo1.questions.readers import (
    choices,
    huatuo,
    jama,
    medbullets,
    mediq,
    medmcqa,
    medqa,
    medxpertqa,
    mmlu,
    pubmedqa,
)
from medo1.questions.readers.form import Form

FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        medqa.FORM,
        medbullets.FORM,
        jama.FORM,
        huatuo.FORM,
        medxpertqa.FORM,
        medmcqa.FORM,
        pubmedqa.FORM,
        mmlu.FORM,
        mmlu.PRO,
        mediq.FORM,
        choices.APART,
        choices.FORM,
    )
}

__all__ = ["FORMS", "Form"]
