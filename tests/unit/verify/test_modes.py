import stat

import pytest
from support.bundles import bundle

from packager.verify.modes import check_modes


@pytest.mark.parametrize("mode", [0o100644, 0o100755, 0o100444, 0o644, None])
def test_modes_that_work(mode: int | None) -> None:
    assert list(check_modes(bundle(["app.py"], {"app.py": mode}), ())) == []


@pytest.mark.parametrize("mode", [0o100600, 0o100640, 0o100000, 0o100311])
def test_modes_that_do_not(mode: int) -> None:
    (finding,) = check_modes(bundle(["app.py", "ok.py"], {"app.py": mode}), ())
    assert (finding.code, finding.level) == ("not-readable", "error")
    assert finding.message == f"`app.py` has mode {mode & 0o777:04o}: Lambda's user cannot read it"


def test_links_and_lame_programs() -> None:
    files = bundle(["lib.so", "bin/tool"], {"lib.so": stat.S_IFLNK | 0o777})
    assert [(f.code, f.level) for f in check_modes(files, {"bin/tool"})] == [
        ("symlink", "warning"),
        ("not-executable", "note"),
    ]
