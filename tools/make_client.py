"""Write src/shieldwall/client/shapes.py and calls.py from the OpenAPI of the node: tools/make_client.py [--check].

With `--check` nothing is written; it fails where the files are not what the API says.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from shieldwall.node.node import Node
from shieldwall.web.app import create, openapi_document

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "shieldwall" / "client"
FILES = ("shapes.py", "calls.py")

WIDTH = 116  # characters of a docstring's line
JSON = "application/json"
EVENTS = "text/event-stream"

SKIPPED = frozenset(("begin_oidc", "finish_oidc"))
"""Calls that only a browser makes: it is sent to another server and comes back."""

VERSIONED = frozenset(("change_case", "change_person", "set_case_members"))
"""Calls that must name a version: those that the document does not say it of."""

STREAMED = {"follow_job": "JobShape"}
"""What the events of a stream hold: the document has no words for it before OpenAPI 3.2."""

SECRET = frozenset(
    (("Invitation", "url"), ("RecoveryCode", "secret"), ("RecoveryCode", "uri"), ("TokenShape", "token"))
)
"""Fields that are shown once, and that no log or notebook is to show by itself."""

NAMES = {"TLP:CLEAR": "Tlp", "PAP:CLEAR": "Pap", "viewer": "RoleWord", "read": "ScopeWord"}
"""Names of enumerations, by their first word."""

WORDS = {
    "Tlp": "A marking of TLP 2.0.",
    "Pap": "What may be done with something (PAP).",
    "RoleWord": "A role.",
    "ScopeWord": "What a machine token may do.",
}

USUAL = {
    "challenge": "Of the ceremony that was begun.",
    "credential": "As the authenticator gives it.",
    "cursor": "Where to go on: `next` of the page before.",
    "etag": "`.etag` of what was read: the version that is changed.",
    "content": "The bytes.",
    "handling": "Who may see it; None for the strictest.",
    "marking": "Who may see it.",
    "pap": "What may be done with it.",
    "case": "Id of a case; None for none.",
    "group": "Id of a need-to-know group; None for none.",
    "most": "At most so many entries of a page.",
}
"""Words for parameters that the document has none for."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a method.

    Attributes:
        name: As the API calls it.
        kind: Python's type.
        default: As Python writes it; "" for none.
        where: path, query, body.
        words: What it is.
    """

    name: str
    kind: str
    default: str
    where: str
    words: str

    @property
    def python(self) -> str:
        """Its name in Python."""
        return self.name + "_" if keyword.iskeyword(self.name) else self.name

    @property
    def written(self) -> str:
        """It in a signature."""
        return f"{self.python}: {self.kind}" + (f" = {self.default}" if self.default else "")

    @property
    def sent(self) -> str:
        """It in the mapping of what is sent; an empty text that is the default is not."""
        empty = self.where == "query" and self.default == '""'
        return f'"{self.name}": {self.python}' + (" or None" if empty else "")


class Kinds:
    """Python's types of JSON schemas; remembers which names they use.

    Args:
        schemas: The document's components.
    """

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self.schemas = schemas
        self.used: set[str] = set()
        self.words: dict[str, str] = {}

    def of(self, schema: Mapping[str, Any], *, given: bool = False) -> str:
        """The type of a schema.

        Args:
            schema: As the document has it.
            given: It is a parameter's: any sequence will do for a list.

        Raises:
            SystemExit: The schema has a form that this program does not know.
        """
        if "$ref" in schema:
            name = str(schema["$ref"].rpartition("/")[2])
            self.used.add(name)
            return name
        if "anyOf" in schema:
            inner = [self.of(each, given=given) for each in schema["anyOf"] if each != {"type": "null"}]
            return " | ".join([*inner, "None"] if {"type": "null"} in schema["anyOf"] else inner)
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if "enum" in schema:
            return self._enumeration(schema["enum"])
        return self._plain(schema, given=given)

    def _plain(self, schema: Mapping[str, Any], *, given: bool) -> str:
        kind = schema.get("type")
        if kind == "array":
            inner = self.of(schema["items"], given=given)
            return f"Sequence[{inner}]" if given else f"tuple[{inner}, ...]"
        if kind == "object":
            further = schema.get("additionalProperties")
            return f"Mapping[str, {self.of(further) if isinstance(further, dict) and further else 'Any'}]"
        if kind in ("string", "integer", "boolean"):
            return {"string": "str", "integer": "int", "boolean": "bool"}[kind]
        sys.exit(f"no type is known for {schema}")

    def _enumeration(self, values: list[Any]) -> str:
        literal = f"Literal[{', '.join(_quoted(value) for value in values)}]"
        name = NAMES.get(values[0])
        if name is None:
            return literal
        if self.words.setdefault(name, literal) != literal:
            sys.exit(f"two enumerations would be called {name}")
        self.used.add(name)
        return name

    def default(self, schema: Mapping[str, Any], *, required: bool) -> str:
        """The default of a field or parameter, as Python writes it; "" for none."""
        if required:
            return ""
        value = schema.get("default")
        if isinstance(value, list):
            return f"({''.join(f'{_quoted(each)}, ' for each in value)})"
        return "None" if value is None or isinstance(value, dict) else _quoted(value)


def document() -> dict[str, Any]:
    """The OpenAPI of the node, which no node is needed for."""
    return openapi_document(create(cast("Node", None)))


def render(api: Mapping[str, Any]) -> dict[str, str]:
    """The files, by name."""
    kinds = Kinds(api["components"]["schemas"])
    operations = [
        (method.upper(), path, operation)
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
        if operation["operationId"] not in SKIPPED
    ]
    methods = [text for method, path, operation in operations for text in _methods(kinds, method, path, operation)]
    calls = _calls(kinds, methods)
    return {"shapes.py": _formatted(_shapes(kinds), "shapes.py"), "calls.py": _formatted(calls, "calls.py")}


# shapes


def _shapes(kinds: Kinds) -> str:
    """Every shape that an answer has, or that a question has within it."""
    done: dict[str, str] = {}
    while missing := sorted(kinds.used - set(done) - set(NAMES.values())):
        for name in missing:
            done[name] = _shape(kinds, name)
    words = [
        f'{name} = {literal}\n"""{WORDS[name]}"""'
        for name, literal in sorted(kinds.words.items(), key=lambda one: one[0])
    ]
    return (
        '"""The shapes of what a node answers. Written by tools/make_client.py from its OpenAPI: do not edit.\n\n'
        'Amounts are satoshi, times ISO 8601 in UTC ("" for never), ids as the node gave them.\n"""\n\n'
        "from __future__ import annotations\n\n"
        "from collections.abc import Mapping\nfrom dataclasses import dataclass, field\nfrom typing import Any, Literal\n\n"
        "from shieldwall.client.reading import Shape\n\n" + "\n\n".join(words + [done[name] for name in sorted(done)])
    )


def _shape(kinds: Kinds, name: str) -> str:
    schema = kinds.schemas[name]
    required = schema.get("required", ())
    lines, told = [], []
    for field, inner in schema["properties"].items():
        kind, default = kinds.of(inner), kinds.default(inner, required=field in required)
        if isinstance(inner.get("default"), dict):
            kind += " | None"
        if (name, field) in SECRET:
            default = f"field({f'default={default}, ' if default else ''}repr=False)"
        lines.append(f"    {field}: {kind}" + (f" = {default}" if default else ""))
        if inner.get("description"):
            told.append((field, inner["description"]))
    words = _docstring(schema["description"], {"Attributes": told}, 4)
    return (
        f"@dataclass(frozen=True, slots=True, kw_only=True)\nclass {name}(Shape):\n{words}\n\n"
        + "\n".join(lines)
        + "\n"
    )


# calls


def _calls(kinds: Kinds, methods: list[str]) -> str:
    named = sorted(name for name in kinds.used if any(re.search(rf"\b{name}\b", text) for text in methods))
    return (
        '"""A method for every call of a node\'s API. Written by tools/make_client.py from its OpenAPI: do not edit."""\n\n'
        "# ruff: noqa: A002 - the API's own words\n\n"
        "from __future__ import annotations\n\n"
        "from collections.abc import Iterator, Mapping, Sequence\nfrom pathlib import Path\n"
        "from typing import Any, Literal\n\n"
        "from shieldwall.client.connection import Connection, Limits\n"
        "from shieldwall.client.pages import every, shaped\n"
        "from shieldwall.client.question import segment\n"
        f"from shieldwall.client.shapes import ({', '.join(named)},)\n\n\n"
        "class Calls:\n"
        '    """Every call of a node\'s API, by its name there. What is None is not sent. All may raise `Unreachable` and\n'
        "    `BadText` besides what each says.\n\n"
        "    Args:\n        url: Where the node is, as in https://node.example.org or http://localhost:8420.\n"
        '        token: A machine token; "" for none.\n'
        "        authority: File of certificates (PEM) to trust instead of this machine's.\n"
        "        limits: How long to wait, and how much to take.\n"
        "        connection: Instead of all these.\n\n"
        "    Raises:\n        UsageError: The address is none that a token may be sent to, or the token or file does not fit.\n"
        '    """\n\n'
        '    def __init__(self, url: str = "", *, token: str = "", authority: Path | str | None = None, '
        "limits: Limits | None = None, connection: Connection | None = None) -> None:\n"
        "        self._connection = connection or Connection(url, token=token, authority=authority, limits=limits)\n\n"
        '    def __repr__(self) -> str:\n        return f"<{type(self).__name__} of {self._connection!r}>"\n\n'
        + "\n".join(methods)
    )


def _methods(kinds: Kinds, method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    """The method of a call; and the one that goes through its pages, where it has some."""
    name = operation["operationId"]
    parameters = list(_parameters(kinds, operation))
    media_type, answer = _answer(kinds, operation)
    sent = _sent(parameters, operation, method)
    if media_type == EVENTS:
        shape = STREAMED[name]
        kinds.used.add(shape)
        target = _target(name, path, parameters)
        result = f"for _, data in self._connection.follow({target}):\n            yield shaped({shape}, data, {_quoted(name)})"
        yield _method(name, parameters, f"Iterator[{shape}]", operation, result)
        return
    call = (
        f"self._connection.ask({_quoted(name)}, {_quoted(method)}, {_target(name, path, parameters, alone=True)}{sent})"
    )
    if media_type != JSON:
        call = call[:-1] + f", takes={_quoted(media_type)})"
        yield _method(name, parameters, "bytes", operation, f"return {call}.body")
        return
    body = f"answer = {call}\n        return {answer}.from_json(answer.json(), {_quoted(name)}, etag=answer.etag)"
    yield _method(name, parameters, answer, operation, body)
    listed = _listed(kinds, answer, parameters)
    if listed is not None:
        yield _every(name, parameters, operation, *listed)


def _parameters(kinds: Kinds, operation: Mapping[str, Any]) -> Iterator[Parameter]:
    """Those of the path first, then those without a default."""
    found = []
    for each in operation.get("parameters", ()):
        if each["in"] not in ("path", "query"):
            continue  # headers are the connection's affair
        schema, required = each["schema"], each.get("required", False)
        words = each.get("description", "")
        found.append(_parameter(kinds, each["name"], schema, each["in"], words, required=required))
    content = operation.get("requestBody", {}).get("content", {})
    if JSON in content:
        shape = kinds.schemas[content[JSON]["schema"]["$ref"].rpartition("/")[2]]
        for name, schema in shape["properties"].items():
            required = name in shape.get("required", ())
            found.append(_parameter(kinds, name, schema, "body", schema.get("description", ""), required=required))
    elif content:
        found.append(Parameter("content", "bytes", "", "content", USUAL["content"]))
    if _is_versioned(operation):
        found.append(Parameter("etag", "str", "", "etag", USUAL["etag"]))
    yield from (each for each in found if each.where == "path")
    yield from sorted((each for each in found if each.where != "path"), key=lambda one: bool(one.default))


def _parameter(
    kinds: Kinds, name: str, schema: Mapping[str, Any], where: str, words: str, *, required: bool
) -> Parameter:
    kind, default = kinds.of(schema, given=True), kinds.default(schema, required=required)
    if default == "None" and not kind.endswith("None"):
        kind += " | None"
    return Parameter(name, kind, default, where, words or USUAL.get(name, "") or _bounds(schema))


def _bounds(schema: Mapping[str, Any]) -> str:
    """What the document says that fits, in words; "" for nothing of use."""
    one = next((each for each in schema.get("anyOf", ()) if each != {"type": "null"}), schema)
    pattern = one.get("pattern", "")
    if re.search(r"\[0-9a-f\]\{32\}", pattern):
        return "An id."
    if re.search(r"\[0-9a-f\]\{64\}", pattern):
        return "A digest, 64 hex digits."
    if words := re.fullmatch(r"\^\(([a-z|]+)\)\?\$", pattern):
        return f"{', '.join(words[1].split('|'))}; empty for all."
    low = one.get("minimum")
    high = one.get("maximum", one["exclusiveMaximum"] - 1 if "exclusiveMaximum" in one else None)
    if low is not None and high is not None and high < 2**53:  # above it the document rounds
        return f"{int(low)} to {int(high)}."
    longest = one.get("maxLength")
    return f"At most {longest} characters." if longest else ""


def _answer(kinds: Kinds, operation: Mapping[str, Any]) -> tuple[str, str]:
    """Media type and type of the answer.

    Raises:
        SystemExit: It has none, or no shape.
    """
    (good,) = (answer for status, answer in operation["responses"].items() if status.startswith("2"))
    ((media_type, content),) = good["content"].items()
    if media_type == JSON and "$ref" not in content["schema"]:
        sys.exit(f"{operation['operationId']} answers without a shape")
    return media_type, kinds.of(content["schema"]) if media_type == JSON else ""


def _target(name: str, path: str, parameters: list[Parameter], *, alone: bool = False) -> str:
    """The path as an expression; before it the name of the call, unless it stands alone."""
    for each in parameters:
        if each.where == "path":
            path = path.replace(f"{{{each.name}}}", f"{{segment({each.python}, {_quoted(name)})}}")
    written = f"f'{path}'" if "{" in path else _quoted(path)
    return written if alone else f"{_quoted(name)}, {written}"


def _sent(parameters: list[Parameter], operation: Mapping[str, Any], method: str) -> str:
    words = ""
    for where in ("query", "body"):
        if given := ", ".join(each.sent for each in parameters if each.where == where):
            words += f", {where}={{{given}}}"
    for where in ("content", "etag"):
        if any(each.where == where for each in parameters):
            words += f", {where}={where}"
    if method != "GET" and not operation["x-shieldwall-rule"]["kinds"]:
        words += ", repeat=False"  # a node keeps idempotency keys only of those whom it knows
    return words


def _method(name: str, parameters: list[Parameter], answer: str, operation: Mapping[str, Any], body: str) -> str:
    path = [each.written for each in parameters if each.where == "path"]
    rest = [each.written for each in parameters if each.where != "path"]
    signature = ", ".join(["self", *path, *(["*", *rest] if rest else [])])
    told = [(each.python, each.words) for each in parameters if each.words]
    words = _docstring(operation["description"], {"Args": told, "Raises": list(_errors(operation, parameters))}, 8)
    return f"    def {name}({signature}) -> {answer}:\n{words}\n        {body}\n"


def _errors(operation: Mapping[str, Any], parameters: list[Parameter]) -> Iterator[tuple[str, str]]:
    """What a call may raise, by its rule and parameters."""
    rule = operation["x-shieldwall-rule"]
    if rule["kinds"]:
        yield "NotSignedIn", "There is no session or token, or it is over."
    elif parameters:
        yield "NotSignedIn", "What was shown is not accepted."
    if rule["needs"] or rule["kinds"] == ["person"]:
        needs = f"That needs the permission to {' or '.join(rule['needs'])}" if rule["needs"] else "That is for people"
        yield "NotAllowed", needs + (", and a person." if rule["needs"] and rule["kinds"] == ["person"] else ".")
    if rule["confirm"]:
        yield "ConfirmFirst", "The last passkey was shown too long ago: `confirm`, and call again."
    if any(each.where == "path" for each in parameters):
        yield "NotFound", "There is none that one may know of."
    if _is_versioned(operation):
        yield "Conflict", "It was changed in the meantime: read it again."
    if parameters:
        yield "BadInput", "A value does not fit."
    yield "TooMany", "Too often."


def _is_versioned(operation: Mapping[str, Any]) -> bool:
    named = any(each["name"].lower() == "if-match" for each in operation.get("parameters", ()))
    return named or operation["operationId"] in VERSIONED


def _listed(kinds: Kinds, answer: str, parameters: list[Parameter]) -> tuple[str, str, str] | None:
    """Shape of a page, the field of its entries and their shape; None for what has no pages."""
    properties = kinds.schemas[answer]["properties"]
    if "next" not in properties or not any(each.name == "cursor" for each in parameters):
        return None
    for field, schema in properties.items():
        if "$ref" in schema.get("items", {}):
            return answer, field, kinds.of(schema["items"])
    sys.exit(f"{answer} is a page of nothing")


def _every(
    name: str, parameters: list[Parameter], operation: Mapping[str, Any], page: str, field: str, entry: str
) -> str:
    """The method that goes through all pages of a call."""
    given = [each for each in parameters if each.name not in ("cursor", "most")]
    most = next(each for each in parameters if each.name == "most")
    largest = next(each["schema"]["maximum"] for each in operation["parameters"] if each["name"] == "most")
    most = Parameter("most", "int", str(int(largest)), "query", "Entries of one page.")
    path = [each.python for each in given if each.where == "path"]
    rest = [f"{each.python}={each.python}" for each in given if each.where != "path"]
    call = ", ".join([*path, *rest, "cursor=cursor", "most=most"])
    body = (
        f"def page(cursor: str) -> {page}:\n            return self.{name}({call})\n\n"
        f"        for found in every(page, {_quoted('every_' + _word(entry))}):\n            yield from found.{field}"
    )
    told = {**operation, "description": f"Every entry of `{name}`, page by page as they are asked for.\n\n"
            f"{operation['description']}"}  # fmt: skip
    return _method(f"every_{_word(entry)}", [*given, most], f"Iterator[{entry}]", told, body)


def _word(shape: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", shape.removesuffix("Shape")).lower()


# writing


def _docstring(text: str, sections: Mapping[str, list[tuple[str, str]]], indent: int) -> str:
    """A docstring in Google's style."""
    margin = " " * indent
    paragraphs = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    lines = []
    for paragraph in paragraphs:
        lines += [*textwrap.wrap(paragraph, WIDTH - indent), ""]
    for title, entries in sections.items():
        if entries:
            lines.append(f"{title}:")
            for name, words in entries:
                lines += textwrap.wrap(
                    f"{name}: {' '.join(words.split())}",
                    WIDTH - indent,
                    initial_indent="    ",
                    subsequent_indent=" " * 8,
                )
            lines.append("")
    while not lines[-1]:
        lines.pop()
    if len(lines) == 1:
        return f'{margin}"""{lines[0]}"""'
    return "\n".join(f"{margin}{line}".rstrip() for line in [f'"""{lines[0]}', *lines[1:], '"""'])


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) and not re.search(r'["\\]', value) else repr(value)


def _formatted(text: str, name: str) -> str:
    """As ruff writes it: imports that are not used away, sorted, formatted."""
    place = f"--stdin-filename={PACKAGE / name}"
    for command in (["check", "--select", "I,F401", "--fix", "--quiet", place, "-"], ["format", "--quiet", place, "-"]):
        text = subprocess.run(  # noqa: S603 - fixed words
            [sys.executable, "-m", "ruff", *command], input=text, capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout
    return text


def main() -> None:
    """See the module's docstring."""
    files = render(document())
    if sys.argv[1:] == ["--check"]:
        old = [
            name
            for name in FILES
            if not (PACKAGE / name).is_file() or (PACKAGE / name).read_text("utf-8") != files[name]
        ]
        sys.exit(f"{', '.join(old)}: not what the API says; run `make client`" if old else 0)
    for name in FILES:
        (PACKAGE / name).write_text(files[name], encoding="utf-8")


if __name__ == "__main__":
    main()
