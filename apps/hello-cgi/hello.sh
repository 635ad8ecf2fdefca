#!/bin/sh
# The smallest CGI program: a head, an empty line, a body (RFC 3875).
printf 'Content-Type: text/plain\n\nHello, %s!\n' "${REMOTE_USER:-World}"
