"""What the figures depend on; nothing that tells whose machine it is."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path


def machine_facts() -> dict[str, str]:
    """Cores, memory, processor and the versions of the programs that take part."""
    facts = {
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }
    for name in ("click", "deflate", "packaging", "pip", "uv"):
        facts[name] = importlib.metadata.version(name)
    if shutil.which("zip"):
        text = subprocess.run(["zip", "-v"], capture_output=True, text=True, check=False).stdout
        facts["zip"] = next((w for w in text.split() if w[0].isdigit() and "." in w), "?")
    return facts


def _processor() -> str:
    """The processor's model as Linux tells it."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
