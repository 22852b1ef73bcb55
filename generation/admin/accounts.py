"""Users, groups and API tokens, in the same dress as the rest."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework.authtoken.admin import TokenAdmin as DjangoTokenAdmin
from rest_framework.authtoken.models import TokenProxy

from generation.services import api_tokens, edits
from wording import Sentence, say

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.contrib.auth.forms import (
        AdminPasswordChangeForm,
        AdminUserCreationForm,
        UserChangeForm,
    )

    _Base = ModelAdmin[Any]
    _Users = DjangoUserAdmin[User]
else:
    from unfold.admin import ModelAdmin as _Base
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm
    from unfold.forms import UserCreationForm as AdminUserCreationForm

    _Users = DjangoUserAdmin

#: What Django lets somebody do with rows of a kind, by how its permission begins.
_ON_ROWS: Mapping[str, str] = {
    "add": say("add"),
    "change": say("change"),
    "delete": say("delete"),
    "view": say("view"),
}


def _told(permission: Permission) -> str:
    """Return a permission in words: Django and the migrations keep them in English."""
    kind = permission.content_type
    model = kind.model_class()
    verb, _, of = permission.codename.partition("_")
    is_on_rows = model is not None and of == model._meta.model_name and verb in _ON_ROWS
    words = _ON_ROWS[verb] if is_on_rows else Sentence(permission.name, {})
    return f"{kind.app_labeled_name} | {words}"


def _in_words(field: Any) -> Any:
    """Have a field offer the permissions of what has a page, in words; others open nothing."""
    if field is not None:
        kinds = ContentType.objects.get_for_models(*admin.site._registry, for_concrete_models=False)
        field.queryset = field.queryset.filter(content_type__in=kinds.values())
        field.label_from_instance = _told
    return field


for model in (User, Group, TokenProxy):
    admin.site.unregister(model)


class _RecordedAdmin(_Base):
    """Accounts, which Django saves in steps of its own: each edit leaves its act."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        form.held_before = edits.held(obj)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        edits.note(form.instance, form.held_before, by=_user(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        edits.delete(obj, by=_user(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            edits.delete(row, by=_user(request))


def _user(request: HttpRequest) -> Any:
    return request.user


@admin.register(User)
class UserAdmin(_Users, _RecordedAdmin):
    form: Any = UserChangeForm
    add_form = AdminUserCreationForm
    change_password_form = AdminPasswordChangeForm

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name
        form_url: str = "",
    ) -> HttpResponse:
        """Change somebody's password: what an act tells of it is that it was changed."""
        change = super().user_change_password
        if request.method != "POST":
            return change(request, id, form_url)
        with edits.noted(self.get_object(request, unquote(id)), by=_user(request)):
            return change(request, id, form_url)

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        return _in_words(field) if db_field.name == "user_permissions" else field


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, _RecordedAdmin):
    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        return _in_words(field) if db_field.name == "permissions" else field


@admin.register(TokenProxy)
class TokenAdmin(DjangoTokenAdmin, _Base):
    list_display = ("user", "created")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        api_tokens.note_given(obj.user, by=_user(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        api_tokens.note_ended(obj.user, by=_user(request))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)
