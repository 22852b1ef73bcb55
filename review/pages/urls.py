"""The addresses of the light table."""

from django.urls import path

from review.pages import views

_EPISODE = "<str:project_id>/<str:episode>/"

urlpatterns = [
    path(_EPISODE, views.table, name="review-table"),
    path(f"{_EPISODE}states", views.states, name="review-states"),
    path(f"{_EPISODE}tiles", views.tiles, name="review-tiles"),
    path(f"{_EPISODE}plans/<int:plan_id>", views.plan, name="review-plan"),
]
