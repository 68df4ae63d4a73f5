"""Every key of `[tool.lpack]`: what it holds, what happens without it, what it is for. Data."""

from typing import Literal, NamedTuple

Shape = Literal[
    "text", "choice", "texts", "path", "policies", "switch", "drops", "services", "bytes", "moment",
    "image", "budgets", "mebibytes", "demands", "publishers",
]  # fmt: skip


class Setting(NamedTuple):
    """One key of `[tool.lpack]` and of `[tool.lpack.functions.NAME]`.

    `default` is what happens without the key, in words. `choices` belong to the shape `choice`;
    the runtimes are data of another stage and are handed in where values are checked.
    """

    key: str
    shape: Shape
    default: str
    doc: str
    choices: tuple[str, ...] = ()

    @property
    def field(self) -> str:
        """The name of the field of `Overrides`."""
        return self.key.replace("-", "_")


SETTINGS: tuple[Setting, ...] = (
    Setting("handler", "text", "guessed", "What Lambda calls, as `module.function`."),
    Setting("runtime", "choice", "guessed", "The AWS runtime, such as `python3.13`."),
    Setting(
        "architecture",
        "choice",
        "x86_64",
        "The processor of the function.",
        ("x86_64", "arm64"),
    ),
    Setting(
        "kind",
        "choice",
        "lambda",
        "`edge` holds the function to the limits of Lambda@Edge.",
        ("lambda", "edge"),
    ),
    Setting("source", "texts", "guessed", "Files and folders of your own code."),
    Setting(
        "requirements",
        "texts",
        "guessed",
        "What to bundle: `project`, `extra:NAME`, `group:NAME` or a requirements or lock file.",
    ),
    Setting(
        "include",
        "texts",
        "[]",
        "Globs that bring back files of your code which the default rules leave out.",
    ),
    Setting(
        "exclude",
        "texts",
        "[]",
        "Globs of files of your code to leave out; `!GLOB` takes a file out of the exclusion.",
    ),
    Setting(
        "allow-secrets",
        "texts",
        "[]",
        "Globs of files that look like secrets and shall ship nevertheless.",
    ),
    Setting(
        "allow-sdist",
        "texts",
        "[]",
        "Names of distributions whose source may be built, which runs their code.",
    ),
    Setting(
        "allow-record-mismatch",
        "texts",
        "[]",
        "`NAME==VERSION` of wheels whose files may differ from their RECORD.",
    ),
    Setting(
        "subtract",
        "policies",
        "compatible",
        "Whether distributions that the runtime provides are left out: a policy "
        '(`compatible`, `always`, `never`) or a table such as `{ "*" = "compatible", '
        'boto3 = "never" }`.',
    ),
    Setting("catalog", "path", "built in", "A capture of what the runtime of your account has."),
    Setting("index-url", "text", "pip's configuration", "The package index."),
    Setting("extra-index-urls", "texts", "[]", "Further package indexes, looked into first."),
    Setting(
        "index-strategy",
        "choice",
        "first-index",
        "Whether a name comes from the first index that has it, or from all of them.",
        ("first-index", "unsafe-best-match"),
    ),
    Setting(
        "exclude-newer",
        "moment",
        "off",
        "Takes only what the index had before a moment: a date, or a length of time such as "
        "`7d` before now. Versions that are malicious are mostly found within days.",
    ),
    Setting(
        "attestations",
        "demands",
        "off",
        "Whether the attestations that an index has of files (PEP 740) are verified: `off`, "
        "`verify` those that are there, `require` one of each file; or a table such as "
        '`{ "*" = "verify", cryptography = "require" }` ([supply chain](supply-chain.md)).',
    ),
    Setting(
        "publishers",
        "publishers",
        "{}",
        "Who must have attested the files of a distribution: "
        '`{ cryptography = "github:pyca/cryptography" }`.',
    ),
    Setting(
        "trusted-root",
        "path",
        "Sigstore's public instance",
        "The trusted root, a JSON file, of a Sigstore instance of your own.",
    ),
    Setting(
        "resolver",
        "choice",
        "auto",
        "Who locks; `auto` is uv when it is installed.",
        ("auto", "uv", "pip"),
    ),
    Setting(
        "upload",
        "choice",
        "direct",
        "`s3` lifts the limit of 50 MiB for direct uploads.",
        ("direct", "s3"),
    ),
    Setting(
        "package-type",
        "choice",
        "zip",
        "What a function becomes: a zip, or a container image made without an engine "
        "([images](images.md)).",
        ("zip", "image"),
    ),
    Setting(
        "image",
        "image",
        "AWS's base image",
        "The image's `base`, `command`, `entry-point`, `environment`, `labels`, `user`, "
        "`working-directory`, `format` and `token-hosts` ([images](images.md)).",
    ),
    Setting(
        "image-archive",
        "switch",
        "false",
        "Whether `NAME.image.tar` for `docker load` is written beside the image.",
    ),
    Setting(
        "sbom",
        "switch",
        "false",
        "Whether `NAME.cdx.json` is written: what ships, as CycloneDX 1.6 "
        "([supply chain](supply-chain.md)).",
    ),
    Setting(
        "provenance",
        "switch",
        "false",
        "Whether `NAME.intoto.jsonl` is written: an in-toto statement, not signed, of what the "
        "artifact was built from ([supply chain](supply-chain.md)).",
    ),
    Setting(
        "builder-id",
        "text",
        "`urn:lpack:builder:unspecified`",
        "The URI under which the provenance names who built.",
    ),
    Setting(
        "layers",
        "texts",
        "all configured",
        "Lambda layers in their order: names of `[tool.lpack.layers.NAME]`, or files of layers "
        "built elsewhere, a zip or lpack's manifest of one ([layers](layers.md)).",
    ),
    Setting(
        "slim",
        "choice",
        "inert",
        "Which files of distributions stay out: none, those that nothing on a runtime can use, "
        "also those that lpack's rules name for a distribution and its versions, or, set aside "
        "in archives that are unpacked on a miss, all that `lpack trace` did not see.",
        ("off", "inert", "declared", "traced"),
    ),
    Setting("slim-rules", "texts", "[]", "Declared rules that are off unless they are named."),
    Setting("keep", "texts", "[]", "Globs of distributions' files that ship whatever rules say."),
    Setting(
        "drop",
        "drops",
        "[]",
        'Globs of distributions\' files to leave out: `"GLOB"`, or `{ glob = …, reason = … }`.',
    ),
    Setting(
        "services",
        "services",
        "{}",
        'Cloud services whose data ships, others\' stays out: `{ botocore = ["s3", "sqs"] }`.',
    ),
    Setting("strip", "switch", "true", "Whether native libraries lose their symbols."),
    Setting("release", "switch", "false", "Whether everything is deflated at the best level."),
    Setting(
        "bytecode",
        "bytes",
        "0",
        'Unzipped bytes that bytecode may add (`"30 MiB"`), for a faster start; needs an '
        "interpreter of the target's version.",
    ),
    Setting(
        "offload",
        "texts",
        "[]",
        "Distributions that arrive in /tmp when they are first imported; `NAME+` takes along what "
        "nothing else requires.",
    ),
    Setting(
        "offload-from",
        "choice",
        "zip",
        "Where from: archives inside the zip, or objects in S3 that `lpack publish` uploads.",
        ("zip", "s3"),
    ),
    Setting(
        "offload-codec",
        "choice",
        "auto",
        "How those archives are compressed; `auto` takes what starts fastest and fits.",
        ("auto", "deflate", "xz", "zstd"),
    ),
    Setting("offload-url", "text", "none", '`s3://BUCKET/PREFIX` for `offload-from = "s3"`.'),
    Setting(
        "ephemeral-storage",
        "mebibytes",
        "512",
        "The size of the function's /tmp in MiB, 512 to 10240.",
    ),
    Setting("snapstart", "switch", "false", "Whether the function uses SnapStart."),
    Setting("trace", "path", ".lpack-trace.json", "What `lpack trace` wrote."),
    Setting(
        "budgets",
        "budgets",
        "{}",
        "What you allow a function to be, beside AWS's limits: see [check](check.md).",
    ),
    Setting("target-dir", "path", "dist", "Where artifacts and manifests are written."),
)
