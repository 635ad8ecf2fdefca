"""A chat of Django Channels in one file: a page per room, and a group that hears what anybody says in it."""
import json
import os

import django
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path, re_path

settings.configure(
    SECRET_KEY="of a test",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django.setup()

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "room.html"), encoding="utf-8") as file:
    PAGE = file.read()


def room(request, name):
    user = request.META.get("HTTP_X_REMOTE_USER", "somebody")
    return HttpResponse(PAGE.replace("{{ room }}", name).replace("{{ user }}", user))


async def facts(request):
    """Async views, too."""
    return JsonResponse({"version": request.scope["http_version"], "root": request.scope["root_path"], "user": request.META.get("HTTP_X_REMOTE_USER")})


class Chat(AsyncWebsocketConsumer):
    async def connect(self):
        self.group = "chat_%s" % self.scope["url_route"]["kwargs"]["name"]
        principal = self.scope["extensions"].get("gw.principal")
        self.user = principal["user"] if principal else "somebody"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.tell("%s joins over HTTP/%s" % (self.user, self.scope["http_version"]))

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)
        await self.tell("%s leaves with %s" % (self.user, code))

    async def receive(self, text_data=None, bytes_data=None):
        await self.tell("%s: %s" % (self.user, json.loads(text_data)["message"]))

    async def tell(self, message):
        await self.channel_layer.group_send(self.group, {"type": "chat.message", "message": message})

    async def chat_message(self, event):
        await self.send(text_data=json.dumps({"message": event["message"]}))


urlpatterns = [path("facts", facts), path("<str:name>/", room)]

application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": AllowedHostsOriginValidator(URLRouter([re_path(r"^(?P<name>\w+)/socket$", Chat.as_asgi())])),
    }
)
