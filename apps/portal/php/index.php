<?php
// A PHP page: the gateway runs PHP beside itself and tells it who is logged in.
$user = htmlspecialchars($_SERVER['REMOTE_USER'] ?? 'nobody');
$rows = [
    'PHP' => PHP_VERSION . ', ' . PHP_SAPI,
    'AUTH_TYPE' => $_SERVER['AUTH_TYPE'] ?? '',
    'SCRIPT_NAME' => $_SERVER['SCRIPT_NAME'],
    'PATH_INFO' => $_SERVER['PATH_INFO'] ?? '',
];
?>
<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>PHP</title><link rel="stylesheet" href="/assets/portal.css">
<header class="bar"><div><a class="home" href="/">gw</a><div class="who"><span>logged in as
<strong><?= $user ?></strong></span></div></div></header>
<main>
<p class="tag">FastCGI · PHP</p>
<h1>Hello, <?= $user ?></h1>
<p class="lead">No FPM to configure and no web server in between: the gateway starts PHP for this folder.</p>
<table>
<?php foreach ($rows as $name => $value): ?>
<tr><th><?= $name ?></th><td><?= htmlspecialchars($value) ?></td></tr>
<?php endforeach ?>
</table>
</main>
</html>
