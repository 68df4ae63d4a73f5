"""pip's requirements file format (pip documentation, "Requirements File Format").

Splitting, joining, comments and options follow pip's own parser, which the tests use as oracle.
"""

import os
import re
import shlex
from collections.abc import Iterator
from optparse import OptionParser, Values
from pathlib import Path
from typing import NamedTuple, NoReturn

from packager.errors import UsageError
from packager.inputs.documents import joined, shown
from packager.inputs.requirement_line import hashes_of, parse_entry
from packager.model.requirement import Declared, IndexSettings, LocalProject, RequirementSet

_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_REMOTE = re.compile(r"^https?:", re.IGNORECASE)
_ENCODINGS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_DECLARED_ENCODING = re.compile(rb"coding[:=]\s*([-\w.]+)")


class Line(NamedTuple):
    """One logical line: where it begins, what stands before the options, the options.

    `written` is the line before environment variables were filled in: only this may be shown.
    """

    file: Path
    number: int
    written: str
    text: str
    options: Values
    constraint: bool


class _Collected:
    """What the lines add up to while a file and its includes are read."""

    def __init__(self) -> None:
        self.declared: list[Declared] = []
        self.constraints: list[Declared] = []
        self.local: list[LocalProject] = []
        self.hashes: dict[tuple[str, str], frozenset[str]] = {}
        self.unhashed: list[tuple[str, str]] = []
        self.require_hashes = False
        self.index_url: str | None = None
        self.extra: list[str] = []
        self.find_links: list[str] = []
        self.no_index = False
        self.prereleases = False
        self.files: list[Path] = []


def expand_environment(text: str) -> str:
    """Fill in `${NAME}` from the environment; what is not set stays as it is, as in pip."""
    return _VARIABLE.sub(lambda found: os.environ.get(found[1]) or found[0], text)


def parse_requirements_file(file: Path, *, root: Path) -> RequirementSet:
    """Read a requirements file with everything it includes.

    `root` is only for showing paths. Raises UsageError naming the file and the line.
    """
    collected = _Collected()
    for line in read_lines(file, root=root, seen=collected.files):
        origin = f"{shown(line.file, root)}:{line.number}"
        if line.text or line.options.editables:
            _take_requirement(line, origin, collected)
        else:
            _take_options(line, collected)
    listed = {name for name, _ in collected.hashes}
    unhashed = [where for name, where in collected.unhashed if name not in listed]
    if collected.require_hashes and unhashed:
        raise UsageError(
            f"{unhashed[0]} has no `--hash` although the file requires hashes",
            hint="pip-compile --generate-hashes, or uv pip compile --generate-hashes",
        )
    return RequirementSet(
        declared=tuple(collected.declared),
        constraints=tuple(collected.constraints),
        local_projects=tuple(collected.local),
        hashes=collected.hashes,
        require_hashes=collected.require_hashes,
        indexes=IndexSettings(
            index_url=collected.index_url,
            extra_index_urls=tuple(dict.fromkeys(collected.extra)),
            find_links=tuple(dict.fromkeys(collected.find_links)),
            no_index=collected.no_index,
        ),
        prereleases=collected.prereleases,
        files=tuple(dict.fromkeys(collected.files)),
        title=shown(file, root),
    )


def read_lines(
    file: Path,
    *,
    root: Path,
    seen: list[Path],
    constraint: bool = False,
    above: tuple[Path, ...] = (),
) -> Iterator[Line]:
    """Yield the logical lines of a file and of the files it includes, in pip's order.

    Every file read is appended to `seen`. Raises UsageError for files that cannot be read, that
    include themselves, and for options that pip does not know.
    """
    if file in above:
        raise UsageError(
            f"`{shown(file, root)}` includes itself through `{shown(above[-1], root)}`"
        )
    seen.append(file)
    text = _decode(file, root, included_by=above[-1] if above else None)
    for number, written in _logical_lines(text):
        line = _parse_line(file, number, written, constraint=constraint, root=root)
        includes, constraints = line.options.requirements, line.options.constraints
        if line.text or line.options.editables or not (includes or constraints):
            yield line
            continue
        target = (includes or constraints)[0]
        if _REMOTE.match(target):
            raise UsageError(
                f"{shown(file, root)}:{number}: lpack does not fetch requirements files",
                hint="download it, and include the copy",
            )
        path = joined(file.parent, target.removeprefix("file://"))
        yield from read_lines(
            path, root=root, seen=seen, constraint=not includes, above=(*above, file)
        )


def _decode(file: Path, root: Path, *, included_by: Path | None) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        by = f" (included by `{shown(included_by, root)}`)" if included_by else ""
        raise UsageError(f"cannot read `{shown(file, root)}`{by}: {error.strerror}") from error
    encoding = "utf-8"
    for mark, name in _ENCODINGS:
        if data.startswith(mark):
            data, encoding = data[len(mark) :], name
            break
    else:
        for line in data.split(b"\n")[:2]:
            if line.startswith(b"#") and (found := _DECLARED_ENCODING.search(line)):
                encoding = found[1].decode("ascii")
                break
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise UsageError(f"`{shown(file, root)}` is not {encoding} text") from error


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join continuations, drop comments and empty lines; numbers are of the first line."""
    first, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        comment = _COMMENT.match(line)
        if line.endswith("\\") and not comment:
            first = first if parts else number
            parts.append(line.strip("\\"))
            continue
        # The blank before a comment keeps it a comment after joining.
        parts.append(f" {line}" if comment else line)
        yield from _uncommented(first if len(parts) > 1 else number, "".join(parts))
        parts = []
    if parts:
        yield from _uncommented(first, "".join(parts))


def _uncommented(number: int, line: str) -> Iterator[tuple[int, str]]:
    line = _COMMENT.sub("", line).strip()
    if line:
        yield number, line


def _parse_line(file: Path, number: int, written: str, *, constraint: bool, root: Path) -> Line:
    tokens = expand_environment(written).split(" ")
    start = next((i for i, token in enumerate(tokens) if token.startswith("-")), len(tokens))
    try:
        words = shlex.split(" ".join(tokens[start:]))
        options, _ = _options().parse_args(words, None)
    except ValueError as error:
        raise UsageError(f"{shown(file, root)}:{number}: {error}") from error
    return Line(file, number, written, " ".join(tokens[:start]).strip(), options, constraint)


class _Options(OptionParser):
    """optparse, which pip uses too (so that abbreviations agree), with errors as exceptions."""

    def error(self, msg: str) -> NoReturn:
        raise ValueError(msg)


def _options() -> _Options:
    parser = _Options(add_help_option=False)
    parser.add_option("-i", "--index-url", "--pypi-url", dest="index_url")
    parser.add_option("--extra-index-url", dest="extra", action="append", default=[])
    parser.add_option("--no-index", action="store_true", default=False)
    parser.add_option("-f", "--find-links", dest="find_links", action="append", default=[])
    parser.add_option("-r", "--requirement", dest="requirements", action="append", default=[])
    parser.add_option("-c", "--constraint", dest="constraints", action="append", default=[])
    parser.add_option("-e", "--editable", dest="editables", action="append", default=[])
    parser.add_option("--hash", dest="hashes", action="append", default=[])
    parser.add_option("--require-hashes", action="store_true", default=False)
    parser.add_option("--no-require-hashes", action="store_true", default=False)
    parser.add_option("--pre", action="store_true", default=False)
    # What follows steers choices that lpack makes by itself: wheels only, for the target.
    parser.add_option("--prefer-binary", action="store_true")
    for option in (
        "--no-binary",
        "--only-binary",
        "--all-releases",
        "--only-final",
        "--trusted-host",
        "--use-feature",
    ):
        parser.add_option(option, action="append")
    parser.add_option("-C", "--config-settings", "--config-setting", action="append")
    return parser


def _take_options(line: Line, collected: _Collected) -> None:
    options = line.options
    if options.no_index:
        collected.no_index = True
        collected.index_url, collected.extra = None, []
    if options.index_url and not collected.no_index:
        # As in pip, a later `-i` replaces the extra indexes that came before it, too.
        collected.index_url, collected.extra = options.index_url, []
    if not collected.no_index:
        collected.extra += options.extra
    for link in options.find_links[:1]:
        beside = line.file.parent / link
        collected.find_links.append(str(beside.resolve()) if beside.exists() else link)
    collected.require_hashes |= options.require_hashes
    collected.prereleases |= options.pre


def _take_requirement(line: Line, origin: str, collected: _Collected) -> None:
    editable = bool(line.options.editables) and not line.text
    text = line.options.editables[0] if editable else line.text
    entry = parse_entry(
        text, written=line.written, origin=origin, folder=line.file.parent, editable=editable
    )
    declared = entry.declared
    if line.constraint and (declared is None or declared.requirement.extras):
        raise UsageError(f"{origin}: a constraint can be neither a folder nor have extras")
    if declared is None:
        collected.local += [entry.local] if entry.local else []
        return
    (collected.constraints if line.constraint else collected.declared).append(declared)
    if line.options.hashes:
        key, digests = hashes_of(declared, line.options.hashes)
        collected.hashes[key] = collected.hashes.get(key, frozenset()) | digests
        collected.require_hashes = True
    elif not line.constraint:
        collected.unhashed.append((declared.name, f"{origin}: `{declared.requirement.name}`"))
