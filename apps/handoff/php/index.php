<?php
header('Content-Type: text/plain; charset=utf-8');
$told = fn (string $name): string => $_SERVER[$name] ?? '';
echo 'user=', $told('REMOTE_USER'), "\n", 'type=', $told('AUTH_TYPE'), "\n";
echo 'groups=', $told('USER_GROUPS'), "\n", 'mail=', $told('USER_MAIL'), "\n", 'theme=', $told('USER_THEME'), "\n--\n";
print_r($_SERVER);
