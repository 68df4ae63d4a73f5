"""Why a module is not there, and what to do. Pure: facts in, words out."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from packager.model.finding import Finding
from packager.model.target import Target
from packager.verify.extension_modules import importable_suffixes
from packager.verify.standard_library import gone_since, new_in
from packager.verify.surroundings import Surroundings

_DISTRIBUTIONS = {
    "Crypto": "pycryptodome", "MySQLdb": "mysqlclient", "PIL": "pillow", "attr": "attrs",
    "bs4": "beautifulsoup4", "cv2": "opencv-python-headless", "dateutil": "python-dateutil",
    "dotenv": "python-dotenv", "jose": "python-jose", "jwt": "pyjwt",
    "magic": "python-magic", "nacl": "pynacl", "pkg_resources": "setuptools",
    "psycopg2": "psycopg2-binary", "sklearn": "scikit-learn", "yaml": "pyyaml",
}  # fmt: skip
"""Import packages whose distribution has another name."""


def explain_missing(name: str, failure: Mapping[str, Any], around: Surroundings) -> Finding:
    """Word that the module `name` was not found; always one error."""
    top = name.partition(".")[0]
    by = around.importer(failure)
    wanted = around.handler.rpartition(".")[0].replace("/", ".")
    if name == wanted or wanted.startswith(f"{name}."):
        hint = _near_module(wanted, around.files)
        return _missing(f"the handler's module `{name}` is not in the zip", hint)
    left_out = _left_out(name, around.manifest)
    if left_out is not None:
        words, hint = left_out
        return _missing(f"`{name}`{by} was left out of the zip: {words}", hint)
    if _moved(top, around.target):
        return _missing(*_moved_words(top, by))
    subtracted = _subtracted(top, around.manifest)
    if subtracted:
        text = f"`{name}`{by} was left to the runtime ({subtracted}), which does not have it"
        return _missing(text, f"--subtract {subtracted.partition(' ')[0]}=never")
    owner = around.version_of(top)
    if owner:
        return _missing(f"`{name}`{by} is not in {owner}, which has `{top}`", None)
    distribution = _DISTRIBUTIONS.get(top, top.replace("_", "-"))
    return _missing(
        f"`{name}`{by} is neither in the zip nor in {around.target.runtime}",
        f"add `{distribution}` to the requirements",
    )


def module_causes(name: str, around: Surroundings) -> list[Finding]:
    """Word why a function with these files says that it has no module `name`.

    Unlike `explain_missing` it does not know that the files themselves lack it: the line may be of
    another artifact than this one.
    """
    stem = name.replace(".", "/")
    present = [each for each in (f"{stem}.py", f"{stem}/__init__.py") if each in around.files]
    suffixes = importable_suffixes(around.target)
    native = sorted(each for each in around.files if re.match(rf"{re.escape(stem)}\.\S*so$", each))
    present += [each for each in native if each.removeprefix(stem) in suffixes]
    if present:
        text = f"`{name}` is there, as `{present[0]}`, so what is deployed is another artifact"
        return [_missing(f"{text}, or something before it on the path has its name", _DEPLOYED)]
    if native:
        text = f"`{native[0]}` is there, and {around.target.label} does not look for such a name"
        return [_missing(text, f"lpack build --runtime {around.target.runtime}")]
    elsewhere = _placed(name.partition(".")[0], around.manifest)
    if elsewhere is not None:
        return [_missing(f"`{name}` is not in the zip: {elsewhere[0]}", elsewhere[1])]
    return [explain_missing(name, {}, around)]


def _placed(top: str, manifest: Mapping[str, Any]) -> tuple[str, str] | None:
    """Say where the distribution that has `top` went, when that is a layer or an archive."""
    names = {top.replace("_", "-").lower(), _DISTRIBUTIONS.get(top, "")}
    for each in manifest.get("distributions", ()):
        mine = each["name"] in names or any(
            row[0].startswith(f"{top}/") for row in each.get("files", ())
        )
        kind, _, layer = str(each.get("placement") or "").partition(":")
        called = f"{each['name']} {each['version']}"
        if mine and kind == "layer":
            attached = "`aws lambda get-function-configuration --function-name NAME --query Layers`"
            return f"{called} is in the layer `{layer}`, which the function needs", attached
        if mine and kind == "offload":
            log = "look for the bootstrap's line before it in the log: `No space left on device`?"
            return f"{called} is unpacked to /tmp on first use", log
    return None


_DEPLOYED = (
    "`aws lambda get-function-configuration --function-name NAME --query CodeSha256` tells which"
)


def _moved(top: str, target: Target) -> bool:
    """Tell whether the target's standard library has no `top` although another version has."""
    gone, new = gone_since(top), new_in(top)
    return (gone is not None and target.python >= gone) or (new is not None and target.python < new)


def _moved_words(top: str, by: str) -> tuple[str, str]:
    gone, new = gone_since(top), new_in(top)
    if gone is not None:
        version = f"{gone[0]}.{gone[1]}"
        text = f"`{top}`{by} left the standard library with Python {version}"
        return text, f"replace it, or choose a runtime before python{version}"
    version = f"{new[0]}.{new[1]}" if new is not None else ""
    text = f"`{top}`{by} is in the standard library since Python {version} only"
    return text, f"choose python{version} or later with --runtime"


def _missing(message: str, hint: str | None) -> Finding:
    return Finding(code="import-missing", level="error", message=message, hint=hint)


def _near_module(wanted: str, files: Collection[str]) -> str | None:
    """Suggest where the module may be: the same file name in another folder."""
    last = wanted.rpartition(".")[2]
    same = sorted(name for name in files if name.rpartition("/")[2] == f"{last}.py")
    return f"there is `{same[0]}`; the handler's module is its place in the zip" if same else None


def _left_out(name: str, manifest: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the rule that kept the module's file out of the zip, and what undoes it."""
    stem = name.replace(".", "/")
    rows = [
        (distribution["name"], row)
        for distribution in manifest.get("distributions", ())
        for row in distribution.get("dropped", ())
    ]
    rows += [("", row) for row in manifest.get("code", {}).get("excluded", ())]
    for owner, row in rows:
        path = str(row[0])
        if path in {f"{stem}.py", f"{stem}/__init__.py", stem} or path.startswith(f"{stem}."):
            rule = ", ".join(part for part in row[1:] if isinstance(part, str))
            setting = f'keep = ["{stem}*"]' if owner else f'include = ["{path}"]'
            return f"`{path}` of {owner or 'your own code'} ({rule})", setting
    return None


def _subtracted(top: str, manifest: Mapping[str, Any]) -> str:
    names = {top.replace("_", "-").lower(), _DISTRIBUTIONS.get(top, "")}
    for distribution in manifest.get("distributions", ()):
        if distribution.get("subtracted") and distribution["name"] in names:
            return f"{distribution['name']} {distribution['version']}"
    return ""
