"""Who opens the admin, and with what."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def office(supervisor: User) -> Client:
    """The admin as the supervisor has it open."""
    return signed_in(supervisor)


@pytest.fixture
def visitor(db: None) -> Client:
    """The admin of somebody who may look at everything and change nothing."""
    user = User.objects.create_user("visitor", password="visitor-pw", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return signed_in(user)


@pytest.fixture
def desk(db: None) -> Client:
    """The admin of a member of staff who runs the generation, no superuser."""
    user = User.objects.create_user("desk", password="desk-pw", is_staff=True)
    own = Permission.objects.filter(content_type__app_label="generation")
    user.user_permissions.set(own.filter(codename__regex="^(view|change)_"))
    return signed_in(user)


@pytest.fixture
def artist_on_staff(artist: User) -> Client:
    """The admin of somebody on staff whom nobody has given a permission."""
    artist.is_staff = True
    artist.save()
    return signed_in(artist)
