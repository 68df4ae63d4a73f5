from pathlib import Path

import pytest
from support.assembling import admitted
from support.wheel_builder import build_wheel

from packager.errors import UsageError
from packager.model.prune import SlimSettings
from packager.slim.layout import lay_out
from packager.slim.rules import choose_dropped
from packager.slim.services import ProposedServices, propose_services, service_drops

BOTOCORE = [
    "botocore/session.py",
    "botocore/data/endpoints.json",
    "botocore/data/_retry.json",
    "botocore/data/s3/2006-03-01/service-2.json.gz",
    "botocore/data/s3control/2018-08-20/service-2.json.gz",
    "botocore/data/sagemaker-runtime/2017-05-13/service-2.json.gz",
    "botocore/data/sts/2011-06-15/service-2.json.gz",
    "botocore/data/sso/2019-06-10/service-2.json.gz",
    "botocore/data/sso-admin/2020-07-20/service-2.json.gz",
]
GOOGLE = [
    "googleapiclient/discovery.py",
    "googleapiclient/discovery_cache/documents/index.json",
    "googleapiclient/discovery_cache/documents/drive.v2.json",
    "googleapiclient/discovery_cache/documents/drive.v3.json",
    "googleapiclient/discovery_cache/documents/driveactivity.v2.json",
    "googleapiclient/discovery_cache/documents/admin.directory_v1.json",
]


def kept(distribution: str, names: list[str], services: dict[str, tuple[str, ...]]) -> set[str]:
    drops = service_drops(distribution, names, services)
    assert set(drops) <= set(names)
    return {name.split("/")[2 if distribution != "google-api-python-client" else 3]
            for name in names if name not in drops and name.count("/") > 1}  # fmt: skip


def test_services_that_are_not_named_go_and_what_botocore_needs_stays() -> None:
    assert kept("botocore", BOTOCORE, {"botocore": ("s3",)}) == {
        "endpoints.json",
        "_retry.json",
        "s3",
        "sts",
        "sso",
    }


def test_an_alias_means_its_service() -> None:
    assert "sagemaker-runtime" in kept("botocore", BOTOCORE, {"botocore": ("runtime.sagemaker",)})


def test_no_services_named_means_all_and_an_empty_list_none() -> None:
    assert service_drops("botocore", BOTOCORE, None) == {}
    assert service_drops("botocore", BOTOCORE, {"googleapiclient": ("drive",)}) == {}
    assert "s3" not in kept("botocore", BOTOCORE, {"botocore": ()})


def test_boto3_follows_botocore_and_knows_few_services() -> None:
    names = ["boto3/data/s3/2006/resources-1.json", "boto3/data/ec2/2016/resources-1.json"]
    assert kept("boto3", names, {"botocore": ("s3", "kinesis")}) == {"s3"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (("drive",), {"index.json", "drive.v2.json", "drive.v3.json"}),
        (("drive.v3",), {"index.json", "drive.v3.json"}),
        (("admin:directory_v1",), {"index.json", "admin.directory_v1.json"}),
    ],
)
def test_discovery_documents(wanted: tuple[str, ...], expected: set[str]) -> None:
    documents = kept("google-api-python-client", GOOGLE, {"googleapiclient": wanted})
    assert documents == expected


@pytest.mark.parametrize(
    ("distribution", "services", "message", "hint"),
    [
        ("botocore", {"botocore": ("s3", "s3contrl")}, "no service `s3contrl`", "`s3control`?"),
        ("six", {"azure": ("x",)}, "services of `azure` cannot be chosen", "botocore, google"),
        ("google-api-python-client", {"googleapiclient": ("drive.v9",)}, "`drive.v9`", "drive.v"),
    ],
)
def test_a_service_that_does_not_exist_is_an_error(
    distribution: str, services: dict[str, tuple[str, ...]], message: str, hint: str
) -> None:
    names = BOTOCORE if distribution == "botocore" else GOOGLE
    with pytest.raises(UsageError, match=message) as caught:
        service_drops(distribution, names, services)
    assert hint in (caught.value.hint or "")


def test_other_distributions_have_no_services() -> None:
    assert service_drops("six", BOTOCORE, {"botocore": ("s3",)}) == {}


def test_choosing_uses_the_services_and_keep_still_wins(tmp_path: Path) -> None:
    path = build_wheel(tmp_path, "botocore", "1.44.5", files=dict.fromkeys(BOTOCORE, b"{}"))
    wheel = admitted(path)
    settings = SlimSettings(
        tier="off", services={"botocore": ("s3",)}, keep=("botocore/data/sso-admin",)
    )
    chosen = choose_dropped(wheel, lay_out(wheel).shipped, settings)
    assert [(each.path.split("/")[2], each.tier, each.rule) for each in chosen] == [
        ("s3control", "service", "botocore-services"),
        ("sagemaker-runtime", "service", "botocore-services"),
    ]


SOURCES = {
    'import boto3\nboto3.client("s3")': {"botocore": ("s3",)},
    'from boto3 import client\nclient("sqs")': {"botocore": ("sqs",)},
    'import boto3\nt = boto3.resource("dynamodb").Table("x")': {"botocore": ("dynamodb",)},
    's = boto3.Session()\ns.client(region_name="x", service_name="ssm")': {"botocore": ("ssm",)},
    'async with session.create_client("s3") as c:\n    pass': {"botocore": ("s3",)},
    'NAME: str = "kms"\ndef f():\n    return boto3.client(NAME)': {"botocore": ("kms",)},
    'boto3.client("runtime.sagemaker")': {"botocore": ("sagemaker-runtime",)},
    'from googleapiclient.discovery import build\nbuild("drive", "v3", credentials=c)': {
        "googleapiclient": ("drive.v3",)
    },
    'import googleapiclient\nd.build(serviceName="gmail", version=v)': {
        "googleapiclient": ("gmail",)
    },
    'build("image", "v1")': {},
    'httpx.client("https://example.com/")': {},
    "x = TestClient(app)": {},
}


@pytest.mark.parametrize("source", SOURCES)
def test_literal_services_are_proposed(source: str) -> None:
    proposed = propose_services([source.encode()])
    assert proposed.services == SOURCES[source]
    assert proposed.unreadable == 0


@pytest.mark.parametrize(
    "source",
    [
        "boto3.client(name)",
        "session.resource(service_name=f'{a}')",
        "x.create_client(**options)",
        'N = "s3"\nN = "sqs"\nboto3.client(N)',
        'N = "s3"\ndef f(N):\n    boto3.client(N)',
    ],
)
def test_what_is_not_written_there_is_uncertain(source: str) -> None:
    proposed = propose_services([source.encode()])
    assert proposed.services == {}
    assert len(proposed.uncertain) == 1


def test_a_proposal_joins_files_and_survives_other_languages() -> None:
    sources = [b'boto3.client("s3")', b'boto3.client("s3"); b.client("ec2")', b"def client(:", b""]
    assert propose_services(sources) == ProposedServices(
        services={"botocore": ("ec2", "s3")}, uncertain=(), unreadable=1
    )
