"""First-and-last-frame pipelines of diffusers, tiny, with random weights, loaded from folders."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKLLTXVideo,
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    LTXConditionPipeline,
    LTXVideoTransformer3DModel,
    WanImageToVideoPipeline,
    WanTransformer3DModel,
    WanVACEPipeline,
    WanVACETransformer3DModel,
)
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

from engine.motion.end_frames import EndFramesPipeline, allowed_size, load_end_frames
from engine.request import EngineError

CPU = torch.device("cpu")
needs_ftfy = pytest.mark.skipif(not find_spec("ftfy"), reason="Wan needs the package ftfy")


def reader() -> dict[str, Any]:
    """A tokenizer and a text encoder, 32 wide."""
    vocabulary = {"<pad>": 0, "</s>": 1, "<unk>": 2, "tom": 3, "waves": 4, "blurry": 5}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    config = T5Config(
        vocab_size=8, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4,
        decoder_start_token_id=0,
    )  # fmt: skip
    return {
        "tokenizer": PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
            model_max_length=16,
        ),
        "text_encoder": T5EncoderModel(config),
    }  # fmt: skip


def wan_autoencoder() -> AutoencoderKLWan:
    return AutoencoderKLWan(
        base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )  # fmt: skip


WAN_TRANSFORMER: dict[str, Any] = {
    "patch_size": (1, 2, 2), "num_attention_heads": 2, "attention_head_dim": 12, "out_channels": 16,
    "text_dim": 32, "freq_dim": 16, "ffn_dim": 32, "num_layers": 2, "cross_attn_norm": True,
    "qk_norm": "rms_norm_across_heads", "rope_max_seq_len": 32,
}  # fmt: skip


def ltx() -> LTXConditionPipeline:
    return LTXConditionPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=AutoencoderKLLTXVideo(
            latent_channels=8, block_out_channels=(8, 8, 8, 8),
            decoder_block_out_channels=(8, 8, 8, 8), layers_per_block=(1, 1, 1, 1, 1),
            decoder_layers_per_block=(1, 1, 1, 1, 1),
            spatio_temporal_scaling=(True, True, True, False),
            decoder_spatio_temporal_scaling=(True, True, True, False),
            decoder_inject_noise=(False,) * 5, upsample_residual=(False,) * 4,
            upsample_factor=(1, 1, 1, 1), timestep_conditioning=False, patch_size=1, patch_size_t=1,
            encoder_causal=True, decoder_causal=False,
        ),
        transformer=LTXVideoTransformer3DModel(
            in_channels=8, out_channels=8, num_attention_heads=4, attention_head_dim=8,
            cross_attention_dim=32, num_layers=1, caption_channels=32,
        ),
        **reader(),
    )  # fmt: skip


def wan(**changes: Any) -> WanImageToVideoPipeline:
    vision = CLIPVisionConfig(
        hidden_size=4, projection_dim=4, num_hidden_layers=2, num_attention_heads=2, image_size=32,
        intermediate_size=16, patch_size=16,
    )  # fmt: skip
    both = {"image_dim": 4, "pos_embed_seq_len": 2 * 5}  # 4 patches and one token for the whole
    return WanImageToVideoPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
        vae=wan_autoencoder(),
        transformer=WanTransformer3DModel(**WAN_TRANSFORMER, in_channels=36, **both | changes),
        image_encoder=CLIPVisionModel(vision),
        image_processor=CLIPImageProcessor(crop_size=32, size=32),
        **reader(),
    )


def vace() -> WanVACEPipeline:
    return WanVACEPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
        vae=wan_autoencoder(),
        transformer=WanVACETransformer3DModel(
            **WAN_TRANSFORMER, in_channels=16, vace_layers=[0], vace_in_channels=96
        ),
        **reader(),
    )


def saved(pipeline: Any, folder: Path) -> Path:
    pipeline.save_pretrained(folder)
    return folder


def loud(pipeline: Any) -> Any:
    """Larger random weights: what a small transformer reads is then seen in 8 bits a colour."""
    with torch.no_grad():
        for weights in pipeline.transformer.parameters():
            weights.mul_(3 if weights.ndim > 1 else 1)
        if hasattr(pipeline.vae, "quant_conv"):
            pipeline.vae.quant_conv.weight.mul_(1000)
    return pipeline


@pytest.fixture(scope="module")
def ltx_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    return saved(ltx(), tmp_path_factory.mktemp("ltx"))


@pytest.fixture(
    scope="module",
    params=[
        ltx,
        pytest.param(wan, marks=needs_ftfy),
        pytest.param(vace, marks=needs_ftfy),
    ],
    ids=["ltx", "wan", "vace"],
)
def video_model(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> EndFramesPipeline:
    torch.manual_seed(0)
    folder = saved(loud(request.param()), tmp_path_factory.mktemp("video"))
    return load_end_frames(str(folder), CPU)


def picture(seed: int, size: tuple[int, int] = (40, 24)) -> Image.Image:
    """Smooth noise in colours."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def drawn(
    model: EndFramesPipeline, start: Image.Image, end: Image.Image, **changes: Any
) -> list[np.ndarray]:
    asked = {"words": "tom waves", "negative": "blurry", "count": 7, "steps": 2, "seed": 1}
    frames = model.frames(start, end, on_step=lambda done, of: None, **asked | changes)
    assert all(frame.mode == "RGB" and frame.size == start.size for frame in frames)
    return [np.asarray(frame) for frame in frames]


@pytest.mark.parametrize("count", [2, 3, 7, 10])
def test_as_many_frames_as_asked_for_and_the_ends_are_the_given_pictures(
    video_model: EndFramesPipeline, count: int
) -> None:
    start, end = picture(1), picture(2)
    frames = drawn(video_model, start, end, count=count, steps=1)
    assert len(frames) == count
    assert np.array_equal(frames[0], np.asarray(start))
    assert np.array_equal(frames[-1], np.asarray(end))


def test_both_pictures_the_words_and_the_seed_lead_the_frames_between(
    video_model: EndFramesPipeline,
) -> None:
    start, end, other = picture(1), picture(2), picture(3)

    def between(start: Image.Image, end: Image.Image, **changes: Any) -> bytes:
        return np.stack(drawn(video_model, start, end, count=4, **changes)[1:-1]).tobytes()

    first = between(start, end)
    assert first == between(start, end)  # nothing else does
    assert first != between(other, end)
    assert first != between(start, other)
    assert first != between(start, end, words="tom")
    assert first != between(start, end, negative="tom")
    assert first != between(start, end, seed=2)
    assert first != between(start, end, steps=3)


def test_every_step_is_told_and_can_end_the_drawing(video_model: EndFramesPipeline) -> None:
    told: list[tuple[int, int]] = []

    def on_step(done: int, of: int) -> None:
        told.append((done, of))
        if len(told) == 4:
            raise InterruptedError

    asked = ("tom", "", 3)
    video_model.frames(picture(1), picture(2), *asked, steps=2, seed=0, on_step=on_step)
    assert told == [(1, 2), (2, 2)]
    with pytest.raises(InterruptedError):
        video_model.frames(picture(1), picture(2), *asked, steps=9, seed=0, on_step=on_step)
    assert told[2:] == [(1, 9), (2, 9)]
    drawn(video_model, picture(1), picture(2), count=3, steps=1)  # the next drawing works


def test_pictures_of_two_sizes_are_refused(video_model: EndFramesPipeline) -> None:
    with pytest.raises(EngineError, match="40 x 24 and 24 x 40 pixels"):
        drawn(video_model, picture(1), picture(2, (24, 40)))


@pytest.mark.parametrize(
    ("size", "allowed"),
    [
        ((512, 512), (512, 512)),
        ((500, 40), (512, 64)),
        ((1024, 1024), (960, 960)),
        ((4000, 500), (2720, 352)),
    ],
)
def test_sides_are_rounded_up_and_large_pictures_made_smaller(
    size: tuple[int, int], allowed: tuple[int, int]
) -> None:
    assert allowed_size(size, 32) == allowed


# -- what cannot be loaded --------------------------------------------------------------------


def test_a_pipeline_of_another_class_is_refused_with_the_names_of_those_that_do(
    tiny_sd15: Path, tmp_path: Path
) -> None:
    index = json.loads((tiny_sd15 / "model_index.json").read_text())
    index["_class_name"] = "StableDiffusionPipeline"
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    words = "is a StableDiffusionPipeline, which does not .* WanVACEPipeline or LTXCondition"
    with pytest.raises(EngineError, match=words):
        load_end_frames(str(tmp_path), CPU)


def test_a_folder_that_is_missing_or_holds_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r'there is no folder ".*nowhere"'):
        load_end_frames(str(tmp_path / "nowhere"), CPU)
    with pytest.raises(EngineError, match="no folder in diffusers format"):
        load_end_frames(str(tmp_path), CPU)


def test_pickled_weights_are_not_read(ltx_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(ltx_folder, folder)
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    torch.save({}, weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(EngineError, match=r"cannot be loaded: .*safetensors"):
        load_end_frames(str(folder), CPU)


@needs_ftfy
def test_a_wan_that_reads_one_picture_only_is_refused(tmp_path: Path) -> None:
    folder = saved(wan(pos_embed_seq_len=None), tmp_path / "wan")
    with pytest.raises(EngineError, match="reads a first picture only"):
        load_end_frames(str(folder), CPU)


@pytest.mark.skipif(bool(find_spec("ftfy")), reason="ftfy is installed")
def test_a_package_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "WanVACEPipeline"}')
    with pytest.raises(EngineError, match="pip install ftfy"):
        load_end_frames(str(tmp_path), CPU)
