"""Device, precision and attention: what "auto" becomes, and what is refused."""

from __future__ import annotations

import pytest
import torch

from headstart import hardware
from headstart.errors import SettingsError
from headstart.hardware import Hardware, choose_hardware
from headstart.settings import HardwareSettings


def chosen(**options: str) -> Hardware:
    return choose_hardware(HardwareSettings(**options))


@pytest.fixture
def without_gpu(monkeypatch):
    """A machine without accelerator, whatever this one has."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def processor(monkeypatch, **able: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)


@pytest.mark.usefixtures("without_gpu")
@pytest.mark.parametrize("able", [{"amx_bf16": True}, {"avx512_bf16": True}, {"amx_bf16": False, "avx512_bf16": True}])
def test_auto_is_bf16_and_tiled_on_a_processor_that_multiplies_bf16(monkeypatch, able):
    processor(monkeypatch, **able)
    found = chosen()
    assert (found.device.type, found.precision, found.attention) == ("cpu", "bf16", "tiled")


@pytest.mark.usefixtures("without_gpu")
@pytest.mark.parametrize("able", [{}, {"amx_bf16": False, "avx512_bf16": False}, {"avx2": True}])
def test_auto_is_fp32_on_a_processor_that_does_not(monkeypatch, able):
    processor(monkeypatch, **able)
    found = chosen()
    assert (found.device.type, found.precision, found.attention) == ("cpu", "fp32", None)


@pytest.mark.parametrize(("able", "precision"), [(True, "bf16"), (False, "fp16")])
def test_a_gpu_gets_the_half_precision_it_can_do(monkeypatch, able, precision):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: able)
    assert hardware._precision(torch.device("cuda")) == precision
    assert hardware._attention(torch.device("cuda"), precision) is None


def test_what_is_given_beats_auto():
    found = chosen(device="cpu", precision="fp32", attention="sdpa")
    assert (found.device, found.precision, found.attention) == (torch.device("cpu"), "fp32", "sdpa")
    assert found.threads == torch.get_num_threads()


def test_fp16_on_a_processor_is_refused():
    with pytest.raises(SettingsError, match=r"bf16 or fp32 on a CPU; found --precision fp16"):
        chosen(device="cpu", precision="fp16")


@pytest.mark.parametrize("name", ["tpu9", "cuda:x", "cpu cpu"])
def test_a_device_that_does_not_exist_is_refused(name):
    with pytest.raises(SettingsError, match=f"a device of this machine; found '{name}'"):
        chosen(device=name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(SettingsError, match="--device cpu or auto"):
        chosen(device="cuda")


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_products_are_in_the_precision_asked_for(precision, dtype):
    ones = torch.ones(2, 2)
    with chosen(device="cpu", precision=precision).autocast():
        assert (ones @ ones).dtype == dtype
    assert (ones @ ones).dtype == torch.float32


def test_it_reads_as_a_line_for_people():
    assert str(Hardware(torch.device("cpu"), "bf16", "eager", 2)) == "cpu (2 threads), bf16"
    assert str(Hardware(torch.device("meta"), "fp32", None, 2)) == "meta, fp32"
