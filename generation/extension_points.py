"""Where apps above the engine add to it: lists that they fill when they are made ready.

The engine knows none of them. What may be added, and where:

- to the page of a plan in the admin: `generation.admin.plans.PLAN_PAGE`
- to every row's page in the admin, as ways to elsewhere: `generation.admin.base.WAYS`
- to the sidebar of the admin: `generation.admin.navigation.GROUPS`
- to what acts are called in the admin: `generation.admin.act_words.WORDS`
- to the addresses of the API: `generation.api.route_builders.ROUTES`
- to the tick: `generation.services.tick.STEPS`
- to what the demo user may do: `generation.services.demo_user.DEMO_APPS`
- to the hidden folders below the projects root: `generation.storage.APP_FOLDERS`
- to what happens when a version is published: `version_published`, a signal
"""

from typing import TypeVar

from django.dispatch import Signal

T = TypeVar("T")

#: Sent once a version has its name and readers, with `version`; after the transaction, by whoever
#: finished it. It is a hint: a process that dies in between sends none, so that what must happen
#: for each version is looked for by a step of the tick as well. A receiver that fails is logged and
#: keeps nobody from publishing.
version_published = Signal()


class Registry(list[T]):
    """What was added to one place of the engine, in the order of the installed apps."""

    def add(self, item: T) -> T:
        """Add something; return it, so that a function can be added by `@REGISTRY.add`.

        Raises:
            ValueError: it is there already.
        """
        if item in self:
            raise ValueError(f"{item!r} is added twice.")
        self.append(item)
        return item
