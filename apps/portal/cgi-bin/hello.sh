#!/bin/sh
# A CGI program in shell: greets REMOTE_USER and shows what RFC 3875 gives it.

escape() { printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'; }
row() { printf '<tr><th>%s</th><td>%s</td></tr>\n' "$1" "$(escape "$2")"; }

printf 'Content-Type: text/html; charset=utf-8\r\n\r\n'
cat <<HTML
<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Shell over CGI</title><link rel="stylesheet" href="/assets/portal.css">
<header class="bar"><div><a class="home" href="/">gw</a></div></header>
<main>
<p class="tag">CGI · /bin/sh</p>
<h1>Hello, $(escape "${REMOTE_USER:-nobody}")</h1>
<p class="lead">This page is the standard output of a shell program, started for this request alone.</p>
<table>
HTML
row REMOTE_USER "${REMOTE_USER-}"
row AUTH_TYPE "${AUTH_TYPE-}"
row GATEWAY_INTERFACE "${GATEWAY_INTERFACE-}"
row SERVER_SOFTWARE "${SERVER_SOFTWARE-}"
row REQUEST_METHOD "${REQUEST_METHOD-}"
row SCRIPT_NAME "${SCRIPT_NAME-}"
row PATH_INFO "${PATH_INFO-}"
row QUERY_STRING "${QUERY_STRING-}"
row "variables in all" "$(env | wc -l | tr -d ' ')"
echo '</table></main></html>'
