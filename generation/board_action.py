"""The action of a board, taken apart: where it plays, how the camera sees it, what happens.

Directors write these in lines of their own: `INT. GRENIER - NUIT`, `PR contre champ`, and then what
happens. What is not clearly a place or the camera is description.
"""

import re
from dataclasses import dataclass

#: How a line begins that says where and when it plays.
_PLACE = re.compile(
    r"(?:(?:INT|EXT)(?:[ÉE]RIEURE?)?(?:\s*[./-]\s*(?:INT|EXT)(?:[ÉE]RIEURE?)?)*(?:\s*[.:/-]|\s|$)"
    r"|(?:LABO|STUDIO|RECYCLAGE)\b)"
)
#: A line that belongs to a `RECYCLAGE` above it: from where in another film it is taken.
_TIME = re.compile(r"\d{1,2}(?::\d{2}){1,2}(?:\s*[->à]\s*\d{1,2}(?::\d{2}){1,2})?")
#: Shot sizes, in capitals or they would be words.
_SIZE = r"(?:TGP|TPR|PRT|PRP|PLE|PLG|PDE|PTE|GP|PR|PM|PL|PG|PE|PA|PI|INSERT)(?!\w)"
_MOVE = (
    r"(?i:(?:contre[- ]?)?plongées?|contre[- ]?champs?|travell?ings?|trav\.|panoramiques?|pano\.?"
    r"|zooms?|d[ée]zooms?|steadicam|cam(?:éra|era|\.) (?:portée|épaule|fixe|à l'épaule)"
    r"|cadre fixe|plan fixe|vue (?:de dessus|de haut|aérienne|subjective)|top shot"
    r"|caméra subjective|(?:très )?gros plan"
    r"|plan (?:large|moyen|rapproché|américain|serré|général|d'ensemble|taille|poitrine))(?!\w)"
)
#: What may stand beside them.
_DETAIL = (
    r"(?:(?i:[123]/[234]|[GDHB]\s*(?:>|→|->|/)\s*[GDHB]|avant|arrière|latéral|vertical|horizontal"
    r"|lente?|rapide|légère?|forte?|haute?|basse?|gauche|droite|in|out|sur|de|à|la|le|vers|et|puis"
    r"|face|profil|dos|taille|poitrine)(?!\w)|[-+&,;:/()→])"
)
_CAMERA = re.compile(rf"(?:{_SIZE}|{_MOVE})[\s.,]*(?:(?:{_SIZE}|{_MOVE}|{_DETAIL})[\s.,]*)*")
#: Words that lead to what is seen, where more follows: `PL de la rue`.
_LEADING = re.compile(r"(?:\s+(?:de|à|la|le|sur|et|puis|vers))+$")


@dataclass(frozen=True)
class Action:
    """The parts of an action; what it does not tell is empty."""

    place: str = ""
    camera: str = ""
    description: str = ""


def split(action: str) -> Action:
    """Return the place, the camera and the description of an action; lines keep their order."""
    places: list[str] = []
    cameras: list[str] = []
    rest: list[str] = []
    for line in (line.strip() for line in action.splitlines()):
        if not line:
            continue
        if _PLACE.match(line) or (_is_of_place(line) and places):
            places.append(line)
            continue
        camera, description = _camera_of(line)
        cameras += [camera] if camera else []
        rest += [description] if description else []
    return Action(" · ".join(places), ", ".join(cameras), "\n".join(rest))


def _is_of_place(line: str) -> bool:
    return _TIME.fullmatch(line) is not None


def _camera_of(line: str) -> tuple[str, str]:
    """Return what a line says of the camera, and what is left of it."""
    match = _CAMERA.match(line)
    if match is None:
        return "", line
    camera, left = match[0].strip(" ,.;:-"), line[match.end() :]
    words = _LEADING.search(camera)
    if words and left:
        camera, left = camera[: words.start()], f"{words[0].strip()} {left}"
    return camera.strip(" ,.;:-"), left.strip(" ,.;:-")
