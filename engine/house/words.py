"""The house artist's reader: a tokenizer and a small CLIP text encoder for English and Chinese.

The encoder is taught on words alone, before any picture: from a caption it must say what the
caption gives away about every actor and the scene, and "unsaid" where it keeps silent. The
painter then starts from token states in which a scene already lies open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import torch
import torch.nn.functional as F
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast

from engine.devices import training_autocast
from engine.house.captions import Mention, SceneMention, sample_caption
from engine.house.course import Course
from engine.house.scenes import (
    BUILDS,
    CLOTHES,
    CLOTHING_COLOURS,
    EXPRESSIONS,
    FRAMINGS,
    GLASSES,
    HAIR_COLOURS,
    HAIR_STYLES,
    HATS,
    PLACES,
    POSES,
    SPECIES,
    STYLES,
    Actor,
    Scene,
    sample_single,
)  # fmt: skip

WIDTH = 256
LAYERS = 3
LENGTH = 112  # tokens; Chinese captions of two characters need the most
VOCABULARY = 3000
START, END, UNKNOWN = "<|start|>", "<|end|>", "<|unknown|>"

ACTOR_ANSWERS: dict[str, tuple[str, ...]] = {
    "species": SPECIES, "hair": HAIR_COLOURS, "hair_style": HAIR_STYLES, "clothes": CLOTHES,
    "clothing_colour": CLOTHING_COLOURS, "glasses": GLASSES, "hat": HATS, "build": BUILDS,
    "skin": ("0", "1", "2", "3"), "beard": ("beard",), "stickers": ("stickers",),
    "expression": EXPRESSIONS, "pose": POSES,
}  # fmt: skip
SCENE_ANSWERS: dict[str, tuple[str, ...]] = {
    "count": ("0", "1", "2"), "place": PLACES, "night": ("night",), "framing": FRAMINGS,
    "style": STYLES, "papers": ("papers",),
}  # fmt: skip


def build_tokenizer(random: Random) -> PreTrainedTokenizerFast:
    """Learn the vocabulary from captions: word pieces of English, single characters of Chinese."""
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN, max_input_chars_per_word=40))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.BertNormalizer(lowercase=True, handle_chinese_chars=True)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[UNKNOWN, START, END],
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        (sample_caption(sample_single(random), random)[0] for _ in range(60_000)), trainer
    )
    ids = [(token, tokenizer.token_to_id(token)) for token in (START, END)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=ids
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=LENGTH, unk_token=UNKNOWN, bos_token=START,
        eos_token=END, pad_token=END,
    )  # fmt: skip


def build_encoder(tokenizer: PreTrainedTokenizerFast) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=3 * WIDTH,
            num_hidden_layers=LAYERS, num_attention_heads=4, max_position_embeddings=LENGTH,
            projection_dim=WIDTH, bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        )
    )  # fmt: skip


def tokens(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> Tensor:
    """int64 [B, LENGTH], cut and padded."""
    ids: Tensor = tokenizer(
        list(texts), padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt"
    ).input_ids
    return ids


class Examiner(nn.Module):
    """The encoder with one question for every attribute, asked of its last token."""

    def __init__(self, encoder: CLIPTextModel) -> None:
        super().__init__()
        self.encoder = encoder
        questions = {
            f"{i}.{k}": v for i in (0, 1) for k, v in ACTOR_ANSWERS.items()
        } | SCENE_ANSWERS
        self.questions = nn.ModuleDict(
            {k.replace(".", "_"): nn.Linear(WIDTH, len(v) + 1) for k, v in questions.items()}
        )

    def read(self, ids: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Token states [B, T, WIDTH] and logits [B, answers], one tensor a question."""
        read = self.encoder(input_ids=ids)
        return read.last_hidden_state, {
            k: question(read.pooler_output) for k, question in self.questions.items()
        }

    def forward(self, ids: Tensor) -> dict[str, Tensor]:
        return self.read(ids)[1]


def exam_loss(guesses: dict[str, Tensor], said: Sequence[dict[str, int]]) -> Tensor:
    """Mean cross-entropy over the questions; captions with no answers are not examined."""
    rows = [i for i, answer in enumerate(said) if answer]
    if not rows:
        return next(iter(guesses.values())).sum() * 0
    losses = []
    for key, logits in guesses.items():
        truth = torch.tensor([said[i][key] for i in rows], device=logits.device)
        losses.append(F.cross_entropy(logits[rows].float(), truth))
    return torch.stack(losses).mean()


def answers(scene: Scene, mentions: Sequence[Mention], about: SceneMention) -> dict[str, int]:
    """What the caption says, by question; 0 is "unsaid"."""
    result: dict[str, int] = {}
    for i in (0, 1):
        if i < len(scene.actors):
            said = _actor_says(scene.actors[i], mentions[i], about.expressions[i], about.poses[i])
        else:
            said = {}
        for key, values in ACTOR_ANSWERS.items():
            result[f"{i}_{key}"] = 1 + values.index(said[key]) if key in said else 0
    scene_says = {
        "count": str(len(scene.actors)),
        "place": scene.place if about.place else "",
        "night": "night" if about.night and scene.night else "",
        "framing": scene.framing if about.framing else "",
        "style": scene.style if about.style else "",
        "papers": "papers" if about.papers and scene.papers else "",
    }
    for key, values in SCENE_ANSWERS.items():
        result[key] = 1 + values.index(scene_says[key]) if scene_says[key] else 0
    return result


def _actor_says(actor: Actor, m: Mention, expression: bool, pose: bool) -> dict[str, str]:
    c = actor.character
    said = {
        "species": (m.species, c.species),
        "hair": (m.hair and c.hair_style != "bald", c.hair_colour),
        "hair_style": (m.hair, c.hair_style),
        "clothes": (m.clothes, c.clothes),
        "clothing_colour": (m.clothing_colour, c.clothing_colour),
        "glasses": (m.glasses and c.glasses != "none", c.glasses),
        "hat": (m.hat and c.hat != "none", c.hat),
        "build": (m.build, c.build),
        "skin": (m.skin, str(c.skin)),
        "beard": (m.beard and c.beard, "beard"),
        "stickers": (m.stickers and c.stickers, "stickers"),
        "expression": (expression, actor.expression),
        "pose": (pose, actor.pose),
    }
    return {key: value for key, (mentioned, value) in said.items() if mentioned}


def sample_examinations(
    random: Random, tokenizer: PreTrainedTokenizerFast, count: int, batches: int
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Batches of fresh captions and their true answers, each of captions of like length."""
    cases = []
    for _ in range(count * batches):
        scene = sample_single(random)
        text, mentions, about = sample_caption(scene, random)
        cases.append((tokenizer(text, truncation=True).input_ids, answers(scene, mentions, about)))
    cases.sort(key=lambda case: len(case[0]))
    groups = [cases[i : i + count] for i in range(0, len(cases), count)]
    random.shuffle(groups)
    for group in groups:
        width = max(len(ids) for ids, _ in group)
        ids = torch.full((count, width), tokenizer.pad_token_id)
        for row, (numbers, _) in zip(ids, group, strict=True):
            row[: len(numbers)] = torch.tensor(numbers)
        yield ids, {key: torch.tensor([case[key] for _, case in group]) for key in group[0][1]}


def train_words(
    minutes: float, folder: Path, device: torch.device, *, resume: bool
) -> tuple[Examiner, PreTrainedTokenizerFast]:
    """Teach tokenizer and encoder on captions alone; returns the average weights."""
    random = Random(5)
    path = folder / "tokenizer"
    if path.exists():
        tokenizer = PreTrainedTokenizerFast.from_pretrained(path)
    else:
        tokenizer = build_tokenizer(random)
        tokenizer.save_pretrained(path)
    model = Examiner(build_encoder(tokenizer)).to(device)
    course = Course("words", {"model": model}, minutes=minutes, learning_rate=2e-3, folder=folder)
    if resume:
        course.resume()
    random = Random(course.step_number + 6)
    batches: Iterator[tuple[Tensor, dict[str, Tensor]]] = iter(())
    for _ in course.lessons():
        ids, truth = next(batches, (None, {}))
        if ids is None:
            batches = sample_examinations(random, tokenizer, 128, 8)
            ids, truth = next(batches)
        with training_autocast(device):
            guesses = model(ids.to(device))
        loss = torch.stack(
            [F.cross_entropy(guesses[k].float(), truth[k].to(device)) for k in guesses]
        )
        right = torch.stack(
            [(guesses[k].argmax(1).cpu() == truth[k]).float().mean() for k in guesses]
        )
        course.learn(loss.mean(), right=right.mean().item(), worst=right.min().item())
    average = course.averages["model"]
    assert isinstance(average, Examiner)
    return average, tokenizer
