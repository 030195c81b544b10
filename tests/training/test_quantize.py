"""int8 and half weights of a small model that can tell two people apart: what is made, gated and refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from fer_gateway.contract import CARD_KEY, LOGITS_NAME, PROBABILITIES_NAME, Framing, Precision
from fer_gateway.errors import SelfTestFailed
from fer_gateway.inference.model import EmotionModel
from fer_gateway.vision.align import warp
from fer_training.cli import main
from fer_training.crops.batches import to_pixels
from fer_training.data.datasets import open_data
from fer_training.data.ferplus import FOLDERS
from fer_training.data.labelled import LabelledFaces
from fer_training.errors import QuantisationError
from fer_training.network.checkpoint import save_weights
from fer_training.network.model import Hybrid, HybridConfig
from fer_training.network.onnx_file import rewrite_card
from fer_training.release.export import export
from fer_training.release.layer_kinds import IN_FLOAT, KINDS
from fer_training.release.layers import layers_by_kind
from fer_training.release.quantize import quantised, write_variant

SIZE_PX = 32


def training_faces(data: Path) -> LabelledFaces:
    return open_data(data).split("train", "majority", twins=True)


def crops_of(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Faces N x 48 x 48 as the model sees them without alignment, N x S x S."""
    whole = np.array([[SIZE_PX / 48, 0, 0], [0, SIZE_PX / 48, 0]])
    return np.stack([warp(image, whole, SIZE_PX) for image in images])


@pytest.fixture(scope="module")
def crops(ferplus_folder: Path) -> NDArray[np.uint8]:
    return crops_of(training_faces(ferplus_folder).images)[..., None]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, ferplus_folder: Path) -> Path:
    """A few steps on the two people, exported."""
    faces = training_faces(ferplus_folder)
    pixels = to_pixels(crops_of(faces.images), torch.device("cpu")).contiguous()
    torch.manual_seed(0)
    network = Hybrid(
        HybridConfig(image_size=SIZE_PX, width=0.25, vit_dim=16, vit_depth=1, vit_heads=2, fused_dim=16)
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(network.train()(pixels), torch.from_numpy(faces.labels))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as these faces have them, after few steps
            module.reset_running_stats()
            module.momentum = None
    with torch.no_grad():
        network(pixels)
    folder = tmp_path_factory.mktemp("quantise")
    save_weights(network.eval(), folder / "model.safetensors")
    framing = Framing(scale=1.0, offset_x=0.0, offset_y=0.0)
    export(
        folder / "model.safetensors",
        folder / "model.onnx",
        name="small",
        version="0.0.1",
        temperature=1.3,
        framing=framing,
    )
    return folder / "model.onnx"


@pytest.fixture(scope="module")
def variants(model: Path, crops: NDArray[np.uint8]) -> dict[str, Path]:
    """The model in each precision."""
    files = {"float32": model}
    precisions: tuple[Precision, ...] = ("float16", "int8")
    for precision in precisions:
        files[precision] = model.with_name(f"{precision}.onnx")
        write_variant(model, files[precision], precision, crops)
    return files


def weights_in(path: Path) -> dict[str, NDArray[np.generic]]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}


@pytest.mark.parametrize(("precision", "share", "allowed"), [("float16", 0.75, 0.01), ("int8", 0.6, 0.1)])
def test_a_variant_answers_like_its_float32(
    precision: str, share: float, allowed: float, variants: dict[str, Path], ferplus_folder: Path
) -> None:
    assert variants[precision].stat().st_size < share * variants["float32"].stat().st_size
    faces = training_faces(ferplus_folder)
    crops = crops_of(faces.images)[..., None]
    answers = EmotionModel.open(variants["float32"]).predict(crops)
    assert (answers.argmax(axis=1) == faces.labels).mean() > 0.95  # it knows something that could be lost
    difference = np.abs(answers - EmotionModel.open(variants[precision]).predict(crops))
    assert 0 < difference.max() < allowed


def test_a_variant_says_what_it_is_and_nothing_measured_on_another(variants: dict[str, Path]) -> None:
    before = EmotionModel.open(variants["float32"]).card
    for precision, path in variants.items():
        card = EmotionModel.open(path).card
        assert card.precision == precision
        assert (card.name, card.labels, card.face) == (before.name, before.labels, before.face)
        assert (card.evaluations, card.end_to_end, card.robustness, card.variants) == ((), None, None, ())
    int8 = EmotionModel.open(variants["int8"])
    assert int8.self_test() < 1e-5  # its own answers, not those of float32
    assert int8.card.self_test.probabilities != before.self_test.probabilities


def test_the_self_test_of_int8_catches_other_weights(variants: dict[str, Path], tmp_path: Path) -> None:
    proto = onnx.load(variants["int8"])
    largest = max(proto.graph.initializer, key=lambda tensor: int(np.prod(tensor.dims)))
    values = numpy_helper.to_array(largest)
    assert values.dtype == np.int8
    largest.CopyFrom(numpy_helper.from_array(-values, largest.name))
    onnx.save(proto, tmp_path / "turned.onnx")
    with pytest.raises(SelfTestFailed):
        EmotionModel.open(tmp_path / "turned.onnx")


def test_what_int8_leaves_alone(variants: dict[str, Path]) -> None:
    """Cast, normalisation, temperature and softmax are the same; so are the kinds that stay in float."""
    before, after = onnx.load(variants["float32"]).graph, onnx.load(variants["int8"]).graph
    left = {node.name: node.op_type for node in after.node}
    convolution = [node.op_type for node in before.node].index("Conv")
    (logits,) = [index for index, node in enumerate(before.node) if LOGITS_NAME in node.output]
    outside = [*before.node[:convolution], *before.node[logits + 1 :]]
    assert {"Cast", "Div", "Softmax"} <= {node.op_type for node in outside}
    assert all(left[node.name] == node.op_type for node in outside)
    dequantised = {
        output for node in after.node if node.op_type == "DequantizeLinear" for output in node.output
    }
    by_name = {node.name: node for node in after.node}
    for kind in IN_FLOAT:
        for name in layers_by_kind(before)[kind]:
            if by_name[name].op_type in ("Conv", "Gemm", "MatMul"):
                assert by_name[name].input[1] not in dequantised, f"{kind}: {name}"
    assert [output.name for output in after.output] == [PROBABILITIES_NAME, LOGITS_NAME]


def test_weights_are_per_channel_and_no_pair_of_products_overflows(variants: dict[str, Path]) -> None:
    """Sums of two products of a byte and a weight must fit 16 bits, but in depthwise convolutions."""
    before, graph = onnx.load(variants["float32"]).graph, onnx.load(variants["int8"]).graph
    layers, weights = layers_by_kind(before), weights_in(variants["int8"])
    source = {output: node.input for node in graph.node for output in node.output}
    by_name = {node.name: node for node in graph.node}
    seen = {"depthwise": 0, "pointwise": 0, "linear": 0}
    for kind in seen:
        for name in layers[kind]:
            if name not in by_name or by_name[name].op_type not in ("Conv", "MatMul", "Gemm"):
                continue
            quantised_name, scale_name, _ = source[by_name[name].input[1]]
            values, scales = weights[quantised_name], weights[scale_name]
            assert values.dtype == np.int8
            assert scales.size in values.shape
            assert scales.size > 1
            most = int(np.abs(values.astype(int)).max())
            assert most == 127 if kind == "depthwise" else most <= 64
            assert kind == "depthwise" or 2 * 255 * most < 2**15
            seen[kind] += 1
    assert all(seen.values())


def test_ranges_are_fixed_before_any_face_is_seen(variants: dict[str, Path]) -> None:
    constants = set(weights_in(variants["int8"]))
    nodes = [node for node in onnx.load(variants["int8"]).graph.node if "QuantizeLinear" in node.op_type]
    assert nodes
    assert "DynamicQuantizeLinear" not in {node.op_type for node in nodes}
    assert all(set(node.input[1:]) <= constants for node in nodes)


def test_no_notes_of_tools_stay(variants: dict[str, Path]) -> None:
    for path in variants.values():
        proto = onnx.load(path)
        assert [entry.key for entry in proto.metadata_props] == [CARD_KEY]
        assert not any(node.doc_string or node.metadata_props for node in proto.graph.node)


def test_every_layer_has_a_kind(model: Path) -> None:
    layers = layers_by_kind(onnx.load(model).graph)
    assert set(layers) == set(KINDS)
    assert {kind: bool(nodes) for kind, nodes in layers.items()} == dict.fromkeys(KINDS, True)
    names = [name for nodes in layers.values() for name in nodes]
    assert len(names) == len(set(names))


def test_nothing_to_quantise_is_refused(model: Path, crops: NDArray[np.uint8]) -> None:
    with pytest.raises(QuantisationError, match="every layer is left in float"):
        quantised(onnx.load(model), crops, KINDS)


@pytest.fixture
def command(model: Path, ferplus_folder: Path, tmp_path: Path) -> Callable[..., int]:
    """Runs `quantize` on a copy of the model, `tmp_path / "model.onnx"`."""
    copy = tmp_path / "model.onnx"
    copy.write_bytes(model.read_bytes())
    return lambda *more: main(["quantize", str(copy), "--data", str(ferplus_folder), "--faces", "40", *more])


def test_a_released_variant_carries_its_own_scores(
    command: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "int8.onnx"
    assert command("--out", str(out), "--compare", "--card") == 0
    printed = capsys.readouterr().out
    assert all(f"\n{precision}" in f"\n{printed}" for precision in ("float32", "float16", "int8"))
    card = EmotionModel.open(out).card
    assert card.precision == "int8"
    assert [one.data for one in card.evaluations] == ["FER+ test, majority", "FER+ test, probability"]
    assert card.variants[-1].precision == "int8"
    assert card.variants[-1].bytes == pytest.approx(out.stat().st_size, rel=0.1)
    assert card.variants[-1].agreement >= 0.98
    variants = EmotionModel.open(tmp_path / "model.onnx").card.variants
    assert variants == card.variants
    assert [one.precision for one in variants] == ["float32", "float16", "int8"]
    assert variants[0].time_of_one == variants[0].time_of_eight == variants[0].agreement == 1
    assert variants[1].bytes < variants[0].bytes
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["int8.onnx"]


def test_a_failed_gate_writes_nothing(
    model: Path, ferplus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ranges from plain grey pictures cut off what faces need."""
    data, out = tmp_path / "grey", tmp_path / "out" / "int8.onnx"
    shutil.copytree(ferplus_folder, data)
    for file in (data / FOLDERS["train"]).iterdir():
        cv2.imwrite(str(file), np.full((48, 48), 128, np.uint8))
    before = model.read_bytes()
    assert main(["quantize", str(model), "--data", str(data), "--out", str(out), "--card"]) == 1
    assert "not released, nothing was written: gate `" in capsys.readouterr().err
    assert not out.parent.exists()
    assert model.read_bytes() == before


def test_a_model_is_not_written_over_itself(
    command: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (tmp_path / "model.onnx").read_bytes()
    assert command("--out", str(tmp_path / "model.onnx")) == 1
    assert "is the model itself" in capsys.readouterr().err
    assert (tmp_path / "model.onnx").read_bytes() == before


def test_sensitivity_names_each_kind(
    command: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--sensitivity") == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows[1:]] == ["none", *KINDS]
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_a_variant_is_not_quantised_again(
    variants: dict[str, Path], ferplus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(ferplus_folder), "--out", str(tmp_path / "again.onnx")]
    assert main(["quantize", str(variants["int8"]), *arguments]) == 1
    assert "is int8 already" in capsys.readouterr().err


def test_broken_pictures_are_left_out_where_asked(
    model: Path, ferplus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shutil.copytree(ferplus_folder, tmp_path / "data")
    (data / FOLDERS["public"] / "fer0000100.png").write_bytes(b"no picture")
    line = ["quantize", str(model), "--data", str(data), "--faces", "8", "--compare"]
    assert main(line) == 1
    assert "or give `--skip-broken`" in capsys.readouterr().err
    assert main([*line, "--skip-broken"]) == 0
    assert "skipped 1 broken of" in capsys.readouterr().err


def test_data_of_other_classes_are_refused(
    model: Path, ferplus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = EmotionModel.open(model).card
    other = tmp_path / "other.onnx"
    other.write_bytes(model.read_bytes())
    names = tuple(reversed(card.labels))
    rewrite_card(other, card.model_copy(update={"labels": names}), CARD_KEY)
    assert json.loads(EmotionModel.load(other).card.model_dump_json())["labels"] == list(names)
    assert main(["quantize", str(other), "--data", str(ferplus_folder), "--compare"]) == 1
    assert "expected data like the one it was trained on" in capsys.readouterr().err
