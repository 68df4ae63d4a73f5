"""The layers of a function that were built elsewhere, read before anything is resolved."""

from packager.errors import UsageError
from packager.inputs.layer_files import read_layer
from packager.model.layer import ForeignLayer, LayerReference
from packager.model.project import Function
from packager.model.target import Target


def read_layers(function: Function, target: Target) -> tuple[ForeignLayer, ...]:
    """Read the layers of `function` that were built elsewhere.

    Raises UsageError when one is not of the target, or when they leave no room for a function.
    """
    layers = tuple(
        read_layer(each, runtime=target.runtime, architecture=target.architecture)
        for each in function.layers
        if isinstance(each, LayerReference)
    )
    together = sum(layer.uncompressed_bytes for layer in layers)
    for limit in target.limits:
        if limit.name == "unzipped" and together >= limit.bytes:
            names = ", ".join(layer.name for layer in layers)
            raise UsageError(
                f"the layers of `{function.name}` ({names}) have {together:,} bytes unzipped; "
                f"they and the function must stay below {limit.bytes:,}",
                hint="leave one out of `layers`, or use a smaller build of it",
            )
    return layers
