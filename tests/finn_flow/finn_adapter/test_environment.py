import subprocess
import sys
from pathlib import Path

from finn_flow.finn_adapter.environment import ensure_finn

_SCRIPT = """
import sys
from pathlib import Path
from finn_flow.finn_adapter.environment import ensure_finn
ensure_finn()
ensure_finn()
from finn.builder import build_dataflow, build_dataflow_steps
import finn.xsi
from finn.util.basic import make_build_dir
from finn_flow.finn_adapter import xsi
assert all(getattr(finn.xsi, name) is getattr(xsi, name) for name in finn.xsi._LAZY_NAMES)
assert set(xsi.NAMES) == set(finn.xsi._LAZY_NAMES)
folder = Path(make_build_dir("node_"))
assert folder.is_dir()
print(folder.parent, file=sys.stderr)
"""


def test_finns_builder_imports_without_vivado_and_nothing_stays_behind(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / ".finn").exists()
    assert not Path(done.stderr.strip().splitlines()[-1]).exists()


def test_build_dir_can_be_chosen(tmp_path: Path) -> None:
    from finn.util.settings import get_settings

    ensure_finn()
    before = get_settings().finn_build_dir
    ensure_finn(tmp_path / "generated")
    try:
        assert get_settings().finn_build_dir == tmp_path / "generated"
        assert (tmp_path / "generated").is_dir()
    finally:
        ensure_finn(before)
