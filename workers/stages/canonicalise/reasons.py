"""Why a source is left open: a stable code, then a sentence for the reader."""

from __future__ import annotations

from enum import StrEnum


class Open(StrEnum):
    """The codes, each with its sentence; `{source}` is the source's words."""

    NO_SOURCE = "no_source"
    NO_ANTECEDENT = "no_antecedent"
    PLURAL = "plural_or_generic"
    INDEFINITE = "indefinite"
    OF_ANOTHER = "of_another_person"
    FIRST_PERSON = "first_person"
    CARRIED = "carried_source_open"
    NOT_UNDERSTOOD = "not_a_name_role_or_pronoun"


_SENTENCES = {
    Open.NO_SOURCE: "The text names no source.",
    Open.NO_ANTECEDENT: "Nobody named nearby fits “{source}”.",
    Open.PLURAL: "“{source}” means several people or nobody in particular.",
    Open.INDEFINITE: "“{source}” introduces someone whom the text does not name.",
    Open.OF_ANOTHER: "“{source}” is someone else than the person it refers to.",
    Open.FIRST_PERSON: "“{source}” is whoever speaks, and no named speaker was found.",
    Open.CARRIED: "The quotation that this one continues has no resolved source.",
    Open.NOT_UNDERSTOOD: "“{source}” is not a name, a role or a pronoun.",
}
MAX_QUOTED_CHARACTERS = 80


def explain(code: Open, source: str = "") -> str:
    """`code: sentence`, the source's words shortened."""
    shown = " ".join(source[: MAX_QUOTED_CHARACTERS + 1].split())
    if len(source) > MAX_QUOTED_CHARACTERS:
        shown = shown[:MAX_QUOTED_CHARACTERS] + "…"
    return f"{code.value}: {_SENTENCES[code].format(source=shown)}"
