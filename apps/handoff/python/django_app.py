"""A Django project in one file whose users are the gateway's: RemoteUserMiddleware logs them in and makes their accounts."""

import os
import tempfile

import django
from django.conf import settings

# Behind HTTP the name comes in a field, in the same process as a variable.
IS_BEHIND_HTTP = os.environ.get("DJANGO_BEHIND_HTTP") == "1"

settings.configure(
    DEBUG=False,
    SECRET_KEY=os.urandom(32).hex(),
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(tempfile.mkdtemp(), "db")}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        f"{__name__}.GatewayUser" if IS_BEHIND_HTTP else "django.contrib.auth.middleware.RemoteUserMiddleware",
    ],
    AUTHENTICATION_BACKENDS=[f"{__name__}.GatewayBackend"],
)
django.setup()

from django.contrib.auth.backends import RemoteUserBackend  # noqa: E402
from django.contrib.auth.middleware import RemoteUserMiddleware  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


class GatewayUser(RemoteUserMiddleware):
    header = "HTTP_X_REMOTE_USER"


class GatewayBackend(RemoteUserBackend):
    def clean_username(self, username: str) -> str:
        return username.encode("latin-1").decode("utf-8")  # WSGI hands on bytes as Latin-1 (PEP 3333)


def told(request, name: str) -> str:
    value = request.META.get(f"HTTP_X_REMOTE_{name}" if IS_BEHIND_HTTP else f"USER_{name}", "")
    return value.encode("latin-1").decode("utf-8")


def who(request):
    user = request.user
    lines = [
        f"user={user.username if user.is_authenticated else ''}",
        f"type={request.META.get('AUTH_TYPE', '')}",
        f"groups={told(request, 'GROUPS')}",
        f"mail={told(request, 'MAIL')}",
        f"theme={request.META.get('HTTP_X_THEME' if IS_BEHIND_HTTP else 'USER_THEME', '')}",
        "--",
        f"accounts={sorted(User.objects.values_list('username', flat=True))}",
        *(f"{name}={value}" for name, value in request.META.items()),
    ]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


urlpatterns = [path("", who)]
call_command("migrate", verbosity=0)
application = get_wsgi_application()

if __name__ == "__main__":
    from wsgiref.simple_server import make_server

    with make_server("127.0.0.1", 0, application) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
