#!/bin/sh
body=$(cat)
printf 'Content-Type: text/plain\n\n'
printf 'user=%s;type=%s;method=%s;seen=%s;trace=%s;body=%s' "${REMOTE_USER:--}" "${AUTH_TYPE:--}" "$REQUEST_METHOD" \
  "${HTTP_X_SEEN:--}" "${HTTP_TRACEPARENT:+yes}" "$body"
