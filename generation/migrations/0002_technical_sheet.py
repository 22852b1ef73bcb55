"""The shipped styles follow the studio's technical sheet, where nobody has changed them."""

from django.db import migrations

#: What they were, as they were shipped first.
BEFORE = {
    "ombres_chinoises": {"steps": 30, "cfg": 7.5, "lora_strength": 0.9},
    "labo": {},
}
_LIGHT = {
    "golden_hour": ("Golden hour", 30, 8),
    "blue_hour": ("Blue hour", 40, 8),
    "neutral": ("Neutral low back light", 30, 7),
}
_NEVER = (
    "painting, drawing, illustration, vector art, cartoon, 3d render, paper cut-out, fantasy,"
    " visible face, facial features, eyes, frontal light, soft light, coloured light on figures,"
    " missing rim light, blurred edges, grey figures, overexposed, underexposed, text, watermark"
)


def _silhouettes(light, more=""):
    return (
        f"photographic film still, {{description}}, {{place}}, {light}, figures wholly black and"
        " sharply cut with fine detail of hair, fingers and folds, strong rim light from a visible"
        " source, real detailed setting, shadows on ground and wall that fit the light,"
        f" framing of the storyboard kept{more}"
    )


GOLDEN = "golden hour, low warm sun, orange rim light"
BLUE = "blue hour, cold blue rim light, deep blue sky"
NEUTRAL = "neutral low back light"


def _variants():
    texts = {"golden_hour": GOLDEN, "blue_hour": BLUE, "neutral": NEUTRAL}
    return {
        name: {
            "label": label,
            "params": {"steps": steps, "cfg": cfg, "prompt": _silhouettes(texts[name])},
        }
        for name, (label, steps, cfg) in _LIGHT.items()
    }


AFTER = {
    "ombres_chinoises": {
        "params": {"steps": 30, "cfg": 7.5, "lora_strength": 0.9, "denoise": 0.4},
        "prompt": _silhouettes(GOLDEN),
        "negative_prompt": _NEVER,
        "variants": _variants(),
    },
    "labo": {
        "params": {
            "steps": 30,
            "cfg": 7.0,
            "denoise": 0.45,
            "sampler_name": "dpmpp_2m",
            "scheduler": "karras",
        },
        "prompt": (
            "photograph in a laboratory, {description}, {place}, glass and instruments, credible"
            " colours, directional light, sharp, framing of the storyboard kept"
        ),
        "negative_prompt": (
            "painting, drawing, illustration, vector art, cartoon, 3d render, fantasy, blurred"
            " edges, flat light, overexposed, underexposed, text, watermark"
        ),
        "variants": {},
    },
}


def follow_the_sheet(apps, schema_editor):
    for style in apps.get_model("generation", "Style").objects.filter(code__in=AFTER):
        if (style.params, style.prompt) != (BEFORE[style.code], ""):
            continue
        for name, value in AFTER[style.code].items():
            setattr(style, name, value)
        style.save()


class Migration(migrations.Migration):
    dependencies = [("generation", "0001_madsea")]
    operations = [migrations.RunPython(follow_the_sheet, migrations.RunPython.noop)]
