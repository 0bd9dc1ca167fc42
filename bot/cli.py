"""The command line, `inkwell run`, `inkwell draw FILE` …; a failure is one sentence and code 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from bot import operate
from bot.chat import Chat
from bot.config import (
    Config,
    DiscordConfig,
    EngineConfig,
    SafetyConfig,
    TelegramConfig,
    WebConfig,
    load_config,
)
from bot.draw import Comic, check_memory, draw_comic
from bot.errors import Refusal, ScriptError, UnknownChoice, UserError, printable, quoted
from bot.files import ComicFiles, load_script
from bot.moving_comic import animate_comic, check_gif
from bot.page.layouts import LAYOUTS
from bot.safety import safe_words
from bot.script import StoryScript
from bot.without import seen_and_not
from engine.model_settings import LONGEST_NAME, set_memory, set_models
from engine.models import find_model
from engine.motion_settings import set_motion
from engine.prompts import load_styles
from engine.request import AnimateRequest, DrawRequest, EngineError, Event, Translated

FAILED, INTERRUPTED = 2, 130

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(operate.app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line (None: of this process) and returns its exit code."""
    with ExitStack() as stack:
        # Python has no object for a stream that is closed (`>&-`): that is printed into nothing.
        for stream, redirect in ((sys.stdout, redirect_stdout), (sys.stderr, redirect_stderr)):
            if stream is None:
                nowhere = open(os.devnull, "w", encoding="utf-8", errors="replace")  # noqa: SIM115
                stack.enter_context(redirect(stack.enter_context(nowhere)))
        try:
            return run(arguments)
        except KeyboardInterrupt:
            print("inkwell: stopped", file=sys.stderr)
            return INTERRUPTED


def run(arguments: Sequence[str] | None) -> int:
    try:
        code = app(args=arguments, prog_name="inkwell", standalone_mode=False)
    except typer.TyperException as error:
        return failed(error.format_message())
    except (UserError, EngineError) as error:
        return failed(str(error))
    except OSError as error:  # such as a full disk behind stdout
        return failed(f"cannot go on: {system_words(error)}")
    except MemoryError:
        return failed("there is too little memory to draw this story")
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        return failed(
            f"something is broken inside ({type(error).__name__}: {error});"
            " please report it, with what PYTHONDEVMODE=1 shows"
        )
    if code == INTERRUPTED:  # typer makes this of Ctrl-C
        raise KeyboardInterrupt
    return code or 0


def system_words(error: OSError) -> str:
    """What the system says, without its number."""
    place = f": {error.filename}" if error.filename else ""
    return f"{error.strerror}{place}" if error.strerror else str(error)


def failed(message: str) -> int:
    print(f"inkwell: {printable(message)}", file=sys.stderr)
    return FAILED


@app.callback(invoke_without_command=True)
def inkwell(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.")
    ] = False,
) -> None:
    """Inkwell draws comics whose characters stay themselves."""
    if show_version:
        try:
            print(f"inkwell {version('inkwell')}")
        except PackageNotFoundError:
            print("inkwell (run from its folder, not installed)")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


StoryFile = Annotated[Path, typer.Argument(metavar="FILE", help="The story, a plain text file.")]
StyleName = Annotated[str | None, typer.Option(help="How the pictures look.", show_default="comic")]
LayoutName = Annotated[
    str | None,
    typer.Option(help=f"How panels stand: {', '.join(LAYOUTS)}.", show_default="classic"),
]
Seed = Annotated[int | None, typer.Option(help="Another number, other pictures.", show_default="0")]
ModelName = Annotated[
    str | None,
    typer.Option(help="Who draws: a model's name, folder or file.", show_default="house"),
]
Quality = Annotated[
    str | None,
    typer.Option(help="draft, normal or fine: fewer or more steps, as the model knows it."),
]
Steps = Annotated[
    int | None, typer.Option(help="Drawing steps, 1 to 100; if unsaid, the model's own.")
]
Guidance = Annotated[
    float | None,
    typer.Option(help="How closely to follow the words, 0 to 20; if unsaid, the model's own."),
]
Rate = Annotated[float, typer.Option(help="How much of the other panels a panel sees, 0 to 1.")]
Size = Annotated[
    int | None,
    typer.Option(
        help="Side of a picture in pixels: 128, 192 ... 1024; if unsaid, the model's own."
    ),
]
OutFolder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where to put it.", show_default="out")
]
Moving = Annotated[
    bool, typer.Option("--animate", help="Also a GIF that moves from panel to panel.")
]
OnlyPlan = Annotated[bool, typer.Option("--plan", help="Only show how the story is read.")]


@app.command()
def draw(
    file: StoryFile,
    style: StyleName = None,
    layout: LayoutName = None,
    seed: Seed = None,
    model: ModelName = None,
    quality: Quality = None,
    steps: Steps = None,
    guidance: Guidance = None,
    rate: Rate = DrawRequest.rate,
    size: Size = None,
    out: OutFolder = None,
    animate: Moving = False,
    plan: OnlyPlan = False,
) -> None:
    """Draw the story in FILE: comic pages, and every picture by itself.

    What the options do not say is taken from config.toml (see config.example.toml).
    """
    config = load_config()
    know_models(config)
    settings = DrawRequest(
        characters=(),
        panels=(),
        style=config.draw.style if style is None else style,
        seed=(config.draw.seed or DrawRequest.seed) if seed is None else seed,
        model=config.engine.model if model is None else model,
        preset=quality or "",
        steps=steps,
        guidance=guidance,
        rate=rate,
        size=size,
        identity_panels=config.engine.identity_panels,
        micro_batch=config.engine.micro_batch,
    )
    layout = config.draw.layout if layout is None else layout
    check_settings(settings)
    check_choice("layout", layout, LAYOUTS)
    try:
        script = load_script(file)
    except ScriptError as error:
        raise UserError(f"{file}: {error}") from error
    if plan:
        print_plan(script)
        return
    check_safe(config.safety, script)
    comic = Comic(script, settings, layout, ComicFiles(out or config.draw.out, file.stem))
    check_comic(comic, file)
    if animate:
        check_gif(comic)
    safely = partial(as_long_as_safe, config.safety, script)
    operate.show(draw_comic(comic, lambda asked: safely(draw_story(asked, engine=config.engine))))
    if animate:
        operate.show(
            animate_comic(comic, lambda asked: safely(animate_story(asked, engine=config.engine)))
        )


@app.command(name="run")
def run_command() -> None:
    """Start the bot: the local chat, and every chat that has a token in the settings."""
    config = load_config()
    know_models(config)
    safe_words(config.safety.folder)  # a broken list is told now
    chats = [web_chat(config.web, config.store.web)] if config.web.on else []
    if config.discord.token.get_secret_value():
        chats.append(discord_chat(config.discord, config.store.discord))
    if config.telegram.token.get_secret_value():
        chats.append(telegram_chat(config.telegram, config.store.telegram))
    operate.run_bot(config, chats)


def know_models(config: Config) -> None:
    """The configured models in this process's table. Raises `EngineError` for one that is wrong."""
    set_models(config.models, here=not config.engine.url)
    set_memory(config.engine.memory)
    set_motion(config.engine.motion)
    for name in config.engine.offered:
        find_model(name)
        if len(config.engine.offered) > 1 and len(name.encode()) > LONGEST_NAME:
            raise EngineError(
                f'the model "{name}" has too long a name to be chosen: give it a shorter one, as'
                " a table [models.NAME] with it as source"
            )


def web_chat(web: WebConfig, folder: Path) -> Chat:
    from adapters.web_chat import WebChat

    password = web.password.get_secret_value() if web.password else None
    try:
        return WebChat(web.host, web.port, password, folder)
    except ValueError as error:
        raise UserError(str(error)) from error


def discord_chat(discord: DiscordConfig, folder: Path) -> Chat:
    from adapters.discord_chat import DiscordChat

    return DiscordChat(
        discord.token.get_secret_value(),
        folder,
        message_content=discord.message_content,
        api_url=discord.api_url,
        gateway_url=discord.gateway_url,
    )


def telegram_chat(telegram: TelegramConfig, folder: Path) -> Chat:
    from adapters.telegram_chat import TelegramChat

    token = telegram.token.get_secret_value()
    return TelegramChat(token, folder, api_url=telegram.api_url)


def draw_story(request: DrawRequest, engine: EngineConfig) -> Iterator[Event]:
    """The engine's, loaded only when drawing begins: torch takes seconds."""
    from engine.story import draw_story

    yield from draw_story(request, device=engine.device, extras=engine.extras)


def animate_story(request: AnimateRequest, engine: EngineConfig) -> Iterator[Event]:
    """The engine's, loaded only when it is needed."""
    from engine.motion.animate import animate

    yield from animate(request, device=engine.device, extras=engine.extras)


def check_settings(settings: DrawRequest) -> None:
    """Refuses styles and numbers that are out of the question for every model."""
    check_choice("style", settings.style, load_styles())
    find_model(settings.model).way(settings.preset)
    check_number("--seed", settings.seed, 0, 2**32 - 1)
    check_number("--steps", settings.steps, 1, 100)
    check_number("--guidance", settings.guidance, 0, 20)
    check_number("--rate", settings.rate, 0, 1)
    check_number("--size", settings.size, 128, 1024)
    if settings.size is not None and settings.size % 64:
        raise UserError(f"--size must be a multiple of 64, not {settings.size}")


def check_choice(kind: str, name: str, names: Iterable[str]) -> None:
    if name not in names:
        raise UnknownChoice(kind, name, names)


def check_safe(safety: SafetyConfig, script: StoryScript, translated: Iterable[str] = ()) -> None:
    """Refuses words for what is not drawn. Raises Refusal."""
    texts = [words for c in script.characters for words in (c.name, c.description)]
    texts += [w for p in script.panels for w in (seen_and_not(p.text)[0], p.caption or "")]
    try:
        safe_words(safety.folder).check(safety.strictness, [*texts, *translated])
    except Refusal as error:
        if error.key != "safety.word":
            raise
        raise Refusal("safety.word_here", **error.values) from None  # there is no /settings


def as_long_as_safe(
    safety: SafetyConfig, script: StoryScript, events: Iterator[Event]
) -> Iterator[Event]:
    """The events, unless what was translated is not drawn. Raises Refusal."""
    for event in events:
        if isinstance(event, Translated):
            check_safe(safety, script, event.texts)
        yield event


def check_number(option: str, value: float | None, lowest: int, highest: int) -> None:
    if value is not None and not lowest <= value <= highest:  # "nan" is never in between
        shown = quoted(str(value))
        raise UserError(f"{option} must be a number from {lowest} to {highest}, not {shown}")


def check_comic(comic: Comic, file: Path) -> None:
    """Refuses, before anything is drawn, what could not be drawn, lettered or written."""
    if not file.stem.strip("."):
        raise UserError(f"{file} has no name that pages could be called by; rename it")
    panels = len(comic.script.panels)  # there are not more pages than panels
    comic.files.check(file, panels if LAYOUTS[comic.layout].typeset else 0, panels)
    check_lettering(comic)
    check_memory()


def check_lettering(comic: Comic) -> None:
    """Refuses captions for which a font is missing, where the layout prints captions."""
    from bot.page.lettering import check_fonts

    if LAYOUTS[comic.layout].typeset:
        check_fonts(panel.caption for panel in comic.script.panels if panel.caption)


def print_plan(script: StoryScript) -> None:
    """The story as JSON; all ASCII where stdout cannot write the story's letters."""
    plan = script.to_json()
    try:
        plan.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        plan = script.to_json(ensure_ascii=True)
    print(plan, flush=True)


if __name__ == "__main__":
    sys.exit(main())
