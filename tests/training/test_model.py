"""The hybrid against the paper's equations."""

import math
from dataclasses import replace
from typing import Any, Literal

import pytest
import torch
from torch import nn

from fer_training.network.model import Fusion, Hybrid, HybridConfig, SelfAttention
from fer_training.network.size import count_multiply_adds, count_parameters

SMALL = HybridConfig(image_size=64, width=0.25, vit_dim=16, vit_depth=1, vit_heads=2, fused_dim=16)


@pytest.mark.parametrize(
    ("image_size", "token_stride", "tokens"), [(112, 16, 49), (112, 8, 196), (64, 16, 16), (224, 16, 196)]
)
def test_tokens_come_from_the_feature_map(image_size: int, token_stride: Literal[8, 16], tokens: int) -> None:
    config = replace(SMALL, image_size=image_size, token_stride=token_stride)
    model = Hybrid(config).eval()
    token_map, _ = model.mobilenet(torch.zeros(2, 1, image_size, image_size))
    assert token_map.shape[2] * token_map.shape[3] == tokens
    assert model.vit.position.shape[1] == tokens + 1  # and the class token
    assert model(torch.zeros(2, 1, image_size, image_size)).shape == (2, 8)


def test_fused_features_are_equation_11() -> None:
    model = Hybrid(SMALL).eval()
    nn.init.constant_(model.theta, 0.7)
    seen: dict[str, torch.Tensor] = {}
    for name in ("project_mobilenet", "project_vit", "dropout"):
        getattr(model, name).register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    model(torch.randn(3, 1, 64, 64))
    share = torch.sigmoid(torch.tensor(0.7))
    expected = share * seen["project_mobilenet"] + (1 - share) * seen["project_vit"]
    torch.testing.assert_close(seen["dropout"], expected)


def test_attention_is_equation_8() -> None:
    attention = SelfAttention(dim=8, heads=2).eval()
    z = torch.randn(2, 5, 8)
    q, k, v = attention.query_key_value(z).chunk(3, dim=-1)
    heads = [
        (q[..., cut] @ k[..., cut].transpose(1, 2) / 4**0.5).softmax(-1) @ v[..., cut]
        for cut in (slice(0, 4), slice(4, 8))
    ]
    torch.testing.assert_close(attention(z), attention.out(torch.cat(heads, dim=-1)))


@pytest.mark.parametrize(
    ("fusion", "share"),
    [("learned", 0.5), ("half", 0.5), ("mobilenet", 1.0), ("vit", 0.0), ("vit-patches", 0.0)],
)
def test_share_of_each_fusion(fusion: Fusion, share: float) -> None:
    model = Hybrid(replace(SMALL, fusion=fusion))
    assert float(model.share.detach()) == share
    model(torch.randn(2, 1, 64, 64)).sum().backward()
    learned = model.theta.grad is not None and float(model.theta.grad) != 0
    assert learned == (fusion == "learned")


def test_patches_are_equation_7() -> None:
    model = Hybrid(replace(SMALL, fusion="vit-patches", patch_px=16)).eval()
    picture = torch.randn(1, 1, 64, 64)
    seen: list[torch.Tensor] = []
    model.vit.blocks.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model(picture)
    patches = [
        picture[0, 0, y : y + 16, x : x + 16].flatten() for y in (0, 16, 32, 48) for x in (0, 16, 32, 48)
    ]
    tokens = torch.stack([model.vit.embed(patch) for patch in patches])  # x_p E
    expected = torch.cat([model.vit.class_token[0], tokens]) + model.vit.position[0]
    torch.testing.assert_close(seen[0][0], expected)


def test_a_part_that_is_left_out_is_not_built_and_costs_nothing() -> None:
    sizes = {
        fusion: Hybrid(replace(SMALL, fusion=fusion)) for fusion in ("learned", "mobilenet", "vit-patches")
    }
    parts = {fusion: {name.split(".")[0] for name in model.state_dict()} for fusion, model in sizes.items()}
    assert not {"vit", "project_vit"} & parts["mobilenet"]
    assert not {"mobilenet", "project_mobilenet"} & parts["vit-patches"]
    hybrid = count_multiply_adds(sizes["learned"], 64)
    assert all(count_multiply_adds(sizes[fusion], 64) < hybrid for fusion in ("mobilenet", "vit-patches"))


def test_patches_that_do_not_fill_the_picture_are_refused() -> None:
    with pytest.raises(ValueError, match="`image_size` 60 is no multiple of `patch_px` 8"):
        HybridConfig(image_size=60, fusion="vit-patches")


def test_a_face_alone_and_in_a_batch_get_the_same_answer() -> None:
    torch.manual_seed(1)
    model = Hybrid(HybridConfig(image_size=64)).eval()
    faces = torch.randn(5, 1, 64, 64)
    with torch.inference_mode():
        together = model(faces).softmax(1)
        alone = torch.cat([model(face[None]) for face in faces]).softmax(1)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_full_width_fits_the_edge() -> None:
    model = Hybrid(HybridConfig())
    assert count_parameters(model) <= 3_400_000
    assert count_multiply_adds(model, model.config.image_size) <= 100_000_000


def test_multiply_adds_of_mobilenet_v2_are_those_of_its_paper() -> None:
    """300 million at 224 px with three channels and the 1000-class head; ours has one channel, no head."""
    model = Hybrid(HybridConfig(image_size=224, fused_dim=8, vit_dim=8, vit_depth=1, vit_heads=1))
    without_two_channels, without_head = 2 * 32 * 9 * 112 * 112, 1280 * 1000
    ours = count_multiply_adds(model, model.config.image_size) + without_two_channels + without_head
    assert ours == pytest.approx(300e6, rel=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vit_dim": 10}, "`vit_dim` 10 is no multiple of `vit_heads` 4"),
        ({"image_size": 0}, "`image_size` is 0, expected 16 to 512 px"),
        ({"image_size": -5}, "`image_size` is -5, expected 16 to 512 px"),
        ({"image_size": 513}, "`image_size` is 513, expected 16 to 512 px"),
        ({"width": -1.0}, "`width` is -1.0, expected a number above 0"),
        ({"width": 0.0}, "`width` is 0.0, expected a number above 0"),
        ({"width": math.inf}, "`width` is inf, expected a number above 0"),
        ({"width": math.nan}, "`width` is nan, expected a number above 0"),
        ({"classes": 1}, "`classes` is 1, expected 2 or more"),
        ({"vit_dim": 0}, "`vit_dim` is 0, expected 1 or more"),
        ({"vit_depth": -1}, "`vit_depth` is -1, expected 1 or more"),
        ({"vit_depth": 0}, "`vit_depth` is 0, expected 1 or more"),
        ({"vit_heads": 0}, "`vit_heads` is 0, expected 1 or more"),
        ({"fused_dim": 0}, "`fused_dim` is 0, expected 1 or more"),
        ({"patch_px": 0}, "`patch_px` is 0, expected 1 or more"),
        ({"dropout": 3.0}, "`dropout` is 3.0, expected 0 or more and less than 1"),
        ({"dropout": -0.1}, "`dropout` is -0.1, expected 0 or more and less than 1"),
        ({"dropout": math.nan}, "`dropout` is nan, expected 0 or more and less than 1"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HybridConfig(**changes)
