"""A Django site in one file: admin with login, sessions and migrations on SQLite."""
import os
import sys
import types

from django.conf import settings
from django.core.wsgi import get_wsgi_application

_FOLDER = os.environ["SITE_FOLDER"]

settings.configure(
    DEBUG=False,
    SECRET_KEY="for the tests",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="site_urls",
    USE_TZ=True,
    STATIC_URL="static/",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(_FOLDER, "db.sqlite3")}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
)


def create():
    application = get_wsgi_application()
    from django.contrib.auth import get_user_model
    from django.contrib import admin
    from django.core.management import call_command
    from django.urls import path

    urls = types.ModuleType("site_urls")
    urls.urlpatterns = [path("admin/", admin.site.urls)]
    sys.modules["site_urls"] = urls

    call_command("migrate", verbosity=0)
    if not get_user_model().objects.filter(username="root").exists():
        get_user_model().objects.create_superuser("root", "root@example.com", "secret")
    return application
