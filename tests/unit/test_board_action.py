"""The action of a board, taken apart as directors write it."""

import pytest

from generation.board_action import Action, split


@pytest.mark.parametrize(
    ("action", "parts"),
    [
        ("", Action()),
        (
            "EXT. PLACE DU MARCHE - SOIR\nplongée 2/3\nLA RELIEUSE remonte une horloge",
            Action("EXT. PLACE DU MARCHE - SOIR", "plongée 2/3", "LA RELIEUSE remonte une horloge"),
        ),
        ("LABO\ntravelling G>D\nLe gardien", Action("LABO", "travelling G>D", "Le gardien")),
        (
            "INT. MAISON - 12 mars 1854\nPR contre champ",
            Action("INT. MAISON - 12 mars 1854", "PR contre champ", ""),
        ),
        (
            "INT. ATELIER - JOUR\nPM\nUNE FACTRICE\nRECYCLAGE EPISODE 3\n3:46",
            Action("INT. ATELIER - JOUR · RECYCLAGE EPISODE 3 · 3:46", "PM", "UNE FACTRICE"),
        ),
        ("INTÉRIEUR NUIT\nTGP : l'œil", Action("INTÉRIEUR NUIT", "TGP", "l'œil")),
        ("PL de la rue, un chat passe", Action("", "PL", "de la rue, un chat passe")),
        ("GP sur la main", Action("", "GP", "sur la main")),
        ("Panoramique G>D puis zoom avant", Action("", "Panoramique G>D puis zoom avant", "")),
        ("contre-plongée\nPA", Action("", "contre-plongée, PA", "")),
        ("Gros plan : une clé", Action("", "Gros plan", "une clé")),
    ],
)
def test_place_camera_and_description_are_told_apart(action: str, parts: Action) -> None:
    assert split(action) == parts


@pytest.mark.parametrize(
    "action",
    [
        "Le panoramique est beau",
        "Champ de blé, un homme marche",
        "EXTRAIT d'un film",
        "PLACE DU MARCHE",
        "zoomorphe et plat",
        "PLAT du jour",
        "une caméra de surveillance",
    ],
)
def test_what_is_not_clearly_a_place_or_the_camera_is_description(action: str) -> None:
    assert split(action) == Action(description=action)


def test_lines_of_the_description_keep_their_order() -> None:
    assert split("il entre\nPM\n\nil sort").description == "il entre\nil sort"


def test_a_long_line_without_an_end_is_read_all_the_same() -> None:
    action = "PL " + "de la " * 2000 + "rue"

    assert split(action).camera == "PL"
