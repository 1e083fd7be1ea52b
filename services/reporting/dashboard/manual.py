"""The manual for people, in Vietnamese: the files of `docs/vi` as pages of the help, with their pictures."""

import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

# In a checkout and in an image the manual lies beside the code, of a wheel pip puts it where documentation belongs.
PLACES = (Path(__file__).parents[3] / "docs", Path(sysconfig.get_path("data")) / "share" / "doc" / "dondoc")
LANGUAGE_FOLDER, PICTURES_FOLDER = "vi", "images"
DOCUMENTS = ("can-bo", "don-vi", "van-hanh")  # in the order of the help
PICTURE_TYPES = {".png": "image/png", ".webp": "image/webp"}

_DOCUMENT_LINK = re.compile(r"^(?P<name>[a-z-]+)\.md$")
_PICTURE_LINK = re.compile(r"^\.\./images/(?P<name>[a-z0-9-]+\.(?:png|webp))$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualDocument:
    """One document of the manual: its name in an address, its title, and its text as markup."""

    name: str
    title: str
    body: Markup


def read_manual(places: tuple[Path, ...] = PLACES) -> dict[str, ManualDocument]:
    """Return the documents by name; none where this installation has no manual."""
    folder = _find_folder(places)
    return {} if folder is None else {one.name: one for one in _read_documents(folder)}


def read_pictures(places: tuple[Path, ...] = PLACES) -> dict[str, bytes]:
    """Return the pictures of the manual by file name; they have less than 2 MB in all."""
    folder = _find_folder(places)
    files = [] if folder is None else (folder / PICTURES_FOLDER).glob("*")
    return {file.name: file.read_bytes() for file in files if file.suffix in PICTURE_TYPES}


def _find_folder(places: tuple[Path, ...]) -> Path | None:
    return next((one for one in places if (one / LANGUAGE_FOLDER / f"{DOCUMENTS[0]}.md").is_file()), None)


def _read_documents(folder: Path) -> Iterator[ManualDocument]:
    pictures = folder / PICTURES_FOLDER
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    for name in DOCUMENTS:
        tokens = parser.parse((folder / LANGUAGE_FOLDER / f"{name}.md").read_text(encoding="utf-8"))
        for token in _walk(tokens):
            _refer_to_help(token, pictures)
        _, title, _, *rest = tokens  # the title and its tags
        body = Markup(parser.renderer.render(rest, parser.options, {}))  # noqa: S704 - our own files, and no HTML in them
        yield ManualDocument(name=name, title=title.content, body=body)


def _walk(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _walk(token.children or [])


def _refer_to_help(token: Token, pictures: Path) -> None:
    """Lead links between the files and the pictures to the pages of the help; leave out a picture that is not there."""
    if token.type == "link_open" and (found := _DOCUMENT_LINK.match(str(token.attrs["href"]))):
        token.attrs["href"] = f"/help/{found['name']}"
    if token.type == "image" and (found := _PICTURE_LINK.match(str(token.attrs["src"]))):
        token.attrs |= {"src": f"/help/images/{found['name']}", "loading": "lazy"}
        if not (pictures / found["name"]).is_file():
            token.type, token.content = "text", ""
    if token.type == "th_open":
        token.attrs["scope"] = "col"
