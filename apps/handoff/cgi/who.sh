#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
printf '%s\n' "user=$REMOTE_USER" "type=$AUTH_TYPE" "groups=$USER_GROUPS" "mail=$USER_MAIL" "theme=$USER_THEME" -- # session bridge
env
