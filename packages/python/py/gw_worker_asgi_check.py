"""What an ASGI application sends, of the kinds that the documents name.

What is of another kind is refused where it was sent, with a traceback that shows the place: beyond, it would break the
protocol between this process and the gateway, and with it the requests of everybody else.
"""

# Fields of the connection, which is the gateway's. Transfer-Encoding is to be ignored (ASGI, "Response Start"); libraries for
# server-sent events ask for what is so anyway: keep-alive. Whatever else of the kind an app sends is refused.
_CONNECTION_FIELDS = frozenset((b"connection", b"keep-alive", b"transfer-encoding"))

_LONGEST_REASON = 123  # bytes (RFC 6455 section 5.5)


def fields(event):
    """The fields of an event, without those that are to be ignored."""
    plain = []
    try:
        for name, value in event.get("headers", ()):
            if type(name) is not bytes or type(value) is not bytes:
                name, value = buffer(name), buffer(value)
            if name not in _CONNECTION_FIELDS or not _is_idle(name, value):
                plain.append((name, value))
    except (TypeError, ValueError) as error:
        raise TypeError("%s: headers must be pairs of bytes: %s" % (event["type"], error)) from None
    return plain


def _is_idle(name, value):
    return name != b"connection" or value.lower() == b"keep-alive"


def status(event):
    """The status of an event."""
    number = event["status"]
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError("%s: status must be an integer, found %s" % (event["type"], type(number).__name__))
    if not 200 <= number <= 599:
        raise ValueError("%s: status must be from 200 to 599, found %d" % (event["type"], number))
    return int(number)


def buffer(data):
    """The bytes of anything that holds some: a copy, for the app may use its buffer again."""
    if type(data) is bytes:
        return data
    return bytes(memoryview(data))


def text(event, key, found):
    """A string, which UTF-8 can carry."""
    if not isinstance(found, str):
        raise TypeError("%s: %s must be a string, found %s" % (event["type"], key, type(found).__name__))
    found.encode()
    return "".join(found)


def links(event):
    """The fields of an early hint."""
    try:
        return [(b"link", buffer(link)) for link in event.get("links", ())]
    except TypeError as error:
        raise TypeError("%s: links must be bytes: %s" % (event["type"], error)) from None


def subprotocol(event):
    """The subprotocol that an app accepts, or None."""
    found = event.get("subprotocol")
    return None if found is None else text(event, "subprotocol", found)


def closing(event):
    """Code and reason of a close, such as may be sent (RFC 6455 section 7.4)."""
    code = event.get("code")
    if code is None:
        code = 1000
    is_code = isinstance(code, int) and not isinstance(code, bool)
    if not is_code or not (3000 <= code <= 4999 or (1000 <= code <= 1014 and code not in (1004, 1005, 1006))):
        raise ValueError("%s: code %r cannot be sent" % (event["type"], code))
    reason = text(event, "reason", event.get("reason") or "")
    if len(reason.encode()) > _LONGEST_REASON:
        raise ValueError("%s: reason must be of at most %d bytes" % (event["type"], _LONGEST_REASON))
    return int(code), reason
