"""Settings: config.toml and the environment become one frozen Config.

The environment wins: INKWELL_ENGINE_MICRO_BATCH=4 is `micro_batch = 4` under `[engine]`. Every key
is described in config.example.toml.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bot.errors import FileError, UserError, nearest, quoted
from bot.safety import Strictness
from engine.extras import Extras
from engine.model_settings import MemorySettings, ModelSettings, ModelTables, PresetSettings
from engine.models import Precision
from engine.motion_settings import MotionSettings

PREFIX = "INKWELL_"
FILE_VARIABLE = "INKWELL_CONFIG"
UNREADABLE_LIST = (
    "a list in an environment variable is written in square brackets, such as"
    """ INKWELL_ENGINE_MODELS='["sdxl", "house"]'"""
)
DEFAULT_FILE = Path("config.toml")

# What a value must be, by the type that pydantic gives to the error.
DEMANDS = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a table of settings",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than_equal": "at least {ge}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "model_type": "a table of settings",
    "multiple_of": "a multiple of {multiple_of}",
    "path_type": "the path of a folder, in quotes",
    "string_pattern_mismatch": "auto, cpu, cuda, cuda:0 (or another number) or mps",
    "string_too_long": "at most {max_length} letters long",
    "string_too_short": "a name",
    "string_type": "a name, in quotes",
    "tuple_type": "a list in square brackets",
    "value_error": "{error}",
}


def engine_address(url: str) -> str:
    """An address to add "/draw" to; empty, where the bot starts an engine itself."""
    url = url.strip().rstrip("/")
    if url and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url):
        raise ValueError("an address such as http://127.0.0.1:8421")
    return url


def chat_address(url: str) -> str:
    """Where a chat platform is reached; empty for its own address."""
    url = url.strip().rstrip("/")
    if url and not re.fullmatch(r"(https?|wss?)://[^\s/?#]+(/[^\s?#]*)?", url):
        raise ValueError("an address such as http://127.0.0.1:8081")
    return url


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
NameOrNone = Annotated[str, StringConstraints(strip_whitespace=True)]
EngineAddress = Annotated[str, AfterValidator(engine_address)]
ChatAddress = Annotated[str, AfterValidator(chat_address)]
Device = Annotated[str, StringConstraints(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")]


class DrawConfig(BaseModel):
    """What `inkwell draw` does when its options do not say otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    style: Name = "comic"
    layout: Name = "classic"
    seed: int | None = Field(default=None, ge=0)  # None: `inkwell draw` decides
    out: Path = Path("out")


class StoreConfig(BaseModel):
    """Where the bot keeps what people made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path = Path("store")

    @property
    def database(self) -> Path:
        return self.folder / "inkwell.sqlite3"

    @property
    def pictures(self) -> Path:
        return self.folder / "pictures"

    @property
    def web(self) -> Path:
        return self.folder / "web"

    @property
    def discord(self) -> Path:
        return self.folder / "discord"

    @property
    def telegram(self) -> Path:
        return self.folder / "telegram"


class WebConfig(BaseModel):
    """The local chat."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: bool = True
    host: Name = "127.0.0.1"
    port: int = Field(default=8420, ge=0, le=65535)  # 0: any that is free
    password: SecretStr | None = None  # None: only this computer can reach it


class DiscordConfig(BaseModel):
    """The bot on Discord; there is one where a token is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = SecretStr("")
    message_content: bool = False  # whether it may read plain messages in the rooms of stories
    api_url: ChatAddress = ""  # "": Discord's own
    gateway_url: ChatAddress = ""


class TelegramConfig(BaseModel):
    """The bot on Telegram; there is one where a token is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = SecretStr("")
    api_url: ChatAddress = ""  # "": Telegram's own


class LimitsConfig(BaseModel):
    """What one person may ask for, so that everybody gets a turn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    waiting: int = Field(default=3, ge=1)  # drawings of a person that wait at a time
    panels_a_day: int = Field(default=50, ge=1)
    stop_seconds: float = Field(default=60, ge=0)  # that a drawing may take on when the bot stops


class SafetyConfig(BaseModel):
    """What is not drawn; servers may choose a strictness of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strictness: Strictness = "standard"
    words: NameOrNone = ""  # a folder with further lists of words

    @property
    def folder(self) -> Path | None:
        return Path(self.words) if self.words else None


class EngineConfig(BaseModel):
    """How pictures are made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Name = "house"
    device: Device = "auto"
    micro_batch: int = Field(default=8, ge=1)  # panels drawn at the same time
    identity_panels: int = Field(default=3, ge=1)  # panels a character
    previews: int = Field(default=4, ge=0)  # steps between two small pictures; 0: none
    watchdog_seconds: float = Field(default=120, ge=1)  # of silence, until it is started anew
    url: EngineAddress = ""  # of an engine that runs by itself; "": the bot starts one
    token: SecretStr = SecretStr("")  # that the engine at the address asks for
    socket: Annotated[str, StringConstraints(max_length=100)] = (
        ""  # where the bot's own engine listens; "": in a folder of its own
    )
    models: tuple[Name, ...] = ()  # what people may choose; (): all drawn with `model`
    resident: int = Field(default=1, ge=1)  # models that stay loaded
    precision: Precision = MemorySettings.precision
    offload: bool = MemorySettings.offload
    tiling: bool = MemorySettings.tiling
    motion_adapter: NameOrNone = MotionSettings.motion_adapter  # "": SD1.5 does not move by itself
    ip_adapter: Name = MotionSettings.ip_adapter  # by which its frames read pictures
    motion_predictor: NameOrNone = MotionSettings.motion_predictor  # "": the path is linear
    video_model: NameOrNone = MotionSettings.video_model  # of models without their own motion

    safety_checker: NameOrNone = ""  # that looks at finished pictures; "": none does
    translations: NameOrNone = ""  # a folder with models that translate into English

    @property
    def extras(self) -> Extras:
        return Extras(self.safety_checker, self.translations)

    @property
    def shown_previews(self) -> int:
        """As `previews`; none where a safety checker may refuse what a preview has shown."""
        return 0 if self.safety_checker else self.previews

    @property
    def offered(self) -> tuple[str, ...]:
        """The models that people may choose from; that of `model` is first."""
        return tuple(dict.fromkeys((self.model, *self.models)))

    def drawing_with(self, chosen: str) -> str:
        """The model that draws where this one was chosen ("": none was)."""
        return chosen if chosen in self.offered else self.model

    @property
    def memory(self) -> MemorySettings:
        return MemorySettings(self.resident, self.precision, self.offload, self.tiling)

    @property
    def motion(self) -> MotionSettings:
        return MotionSettings(
            self.motion_adapter, self.ip_adapter, self.motion_predictor, self.video_model
        )


class Config(BaseSettings):
    """All settings, checked. Build it with `load_config`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
    )

    draw: DrawConfig = DrawConfig()
    engine: EngineConfig = EngineConfig()
    store: StoreConfig = StoreConfig()
    web: WebConfig = WebConfig()
    telegram: TelegramConfig = TelegramConfig()
    discord: DiscordConfig = DiscordConfig()
    limits: LimitsConfig = LimitsConfig()
    safety: SafetyConfig = SafetyConfig()
    models: ModelTables = {}  # by name: what changes an entry of `MODELS`, or adds one

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings  # the file's values come in as init_settings


def load_config() -> Config:
    """The settings from $INKWELL_CONFIG (or ./config.toml, if there is one) and the environment.

    Raises UserError, one sentence, for a file that cannot be read, an unknown key or a bad value.
    """
    named = os.environ.get(FILE_VARIABLE)
    path = Path(named) if named else DEFAULT_FILE
    refuse_unknown_variables()
    values = read_toml(path) if named or path.exists() else {}
    try:
        return Config(**values)
    except SettingsError:
        raise UserError(UNREADABLE_LIST) from None
    except ValidationError as error:
        raise UserError(sentence(error.errors()[0], path)) from None


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; a byte-order mark does no harm."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FileError(f"cannot read the settings in {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FileError(f"the settings in {path} are not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"the settings in {path} are not valid TOML: {error}") from None


def refuse_unknown_variables() -> None:
    """pydantic-settings overlooks variables that it does not know; a typo should not pass."""
    known = [FILE_VARIABLE, *map(variable, keys())]
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise UserError(
                f"the environment variable {quoted(name)} is not a setting;"
                f" the nearest is {nearest(name, known)}"
            )


def keys() -> Iterator[str]:
    """Every setting by its path: "draw.style" ..., but for the tables of models."""
    for section, default in Config.model_construct():
        if isinstance(default, BaseModel):
            yield from (f"{section}.{key}" for key in type(default).model_fields)


def model_keys(place: Sequence[int | str]) -> Iterator[str]:
    """The settings that a table of models could have where one was not known."""
    if place[0] == "models" and len(place) > 2:
        *table, _ = map(str, place)
        kind = ModelSettings if len(table) == 2 else PresetSettings
        yield from (".".join([*table, key]) for key in kind.model_fields)


def variable(key: str) -> str:
    """The environment variable of a setting: "draw.style" -> "INKWELL_DRAW_STYLE"."""
    return PREFIX + key.replace(".", "_").upper()


def sentence(detail: Mapping[str, Any], path: Path) -> str:
    """Which setting is wrong, where it was set, and what it may be."""
    key = ".".join(map(str, detail["loc"]))
    if detail["type"] == "extra_forbidden":
        known = [*Config.model_fields, *keys(), *model_keys(detail["loc"])]
        return f"{path}: {quoted(key)} is not a setting; the nearest is {nearest(key, known)}"
    place = variable(key) if os.environ.get(variable(key)) else f"{path}: {key}"
    demand = DEMANDS.get(detail["type"], detail["msg"]).format(**detail.get("ctx", {}))
    return f'{place} is "{quoted(str(detail["input"]))}", but it must be {demand}'
