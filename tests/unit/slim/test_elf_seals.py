import pytest

from packager.slim.elf_seals import is_sealed

NAMES = {
    "nss/libsoftokn3.so",
    "nss/libsoftokn3.chk",
    "tls/libgnutls.so.30",
    "tls/.libgnutls.so.30.hmac",
    "gcrypt/libgcrypt.so.20",
    "gcrypt/libgcrypt.so.20.hmac",
    "ssl/fips.so",
    "ssl/libssl.so.3",
    "other/libgnutls.so.30",
}


@pytest.mark.parametrize(
    ("name", "sealed"),
    [
        ("nss/libsoftokn3.so", True),
        ("tls/libgnutls.so.30", True),
        ("gcrypt/libgcrypt.so.20", True),
        ("ssl/fips.so", True),
        ("ssl/libssl.so.3", False),
        ("other/libgnutls.so.30", False),
    ],
)
def test_a_library_with_a_checksum_beside_it_is_sealed(name: str, sealed: bool) -> None:
    assert is_sealed(name, NAMES) is sealed
