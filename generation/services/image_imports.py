"""Images of a folder that come in: each is published as the next version of its plan.

What the folder holds is understood first, in `import_folder_scan`.
"""

import hashlib

from django.contrib.auth.models import User

from generation.models import Plan, Version
from generation.services import (
    image_staging,
    outside_images,
    permissions,
    production_tree,
    publication,
)
from generation.services.import_folder_scan import Item
from nomenclature.name import PlanTask


def check(item: Item) -> None:
    """Read and decode a file, and write nothing.

    Raises:
        BadImage: it is no usable image, or of another format than its name says.
        Busy: too much is being decoded just now.
    """
    image_staging.check(image_staging.content_of(item.file), filename=item.file.name)


def publish(item: Item, project_id: str, *, actor: User | None) -> Version | None:
    """Publish a file as the next version of its plan; None when it is the last version already.

    What is missing of the production tree is made once the file is known to be an image.

    Raises:
        Forbidden: who gives it may not.
        BadImage: it is no usable image, or of another format than its name says.
        Busy: too much is being decoded just now.
        Conflict: version 9999 is taken.
        InvalidRequest: the project exists in another spelling.
        StorageError: the projects folder cannot be written.
    """
    permissions.require(actor, *permissions.TO_GIVE_IMAGES)
    content = image_staging.content_of(item.file)
    if _is_last(project_id, item.name, content):
        return None
    checked = image_staging.check(content, filename=item.file.name)
    plan = _plan(project_id, item.name)
    take = (
        outside_images.publish_panel
        if item.name.task == publication.PANEL
        else outside_images.publish_concept
    )
    return take(plan, checked, actor=actor)


def _plan(project_id: str, name: PlanTask) -> Plan:
    tree = {name.sequence_id: [name.plan]}
    plans = production_tree.ensure_plans(project_id, name.season, name.episode, tree)
    return plans[name.sequence_id, name.plan]


def _is_last(project_id: str, name: PlanTask, content: bytes) -> bool:
    versions_of_plan = Version.objects.filter(
        plan__code=name.plan,
        plan__sequence__code=name.sequence_id,
        plan__sequence__episode__code=name.episode,
        plan__sequence__episode__project__code=project_id,
        task=name.task,
    )
    last = versions_of_plan.order_by("-number").first()
    return last is not None and last.sha256 == hashlib.sha256(content).hexdigest()
