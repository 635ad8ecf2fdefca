#!/usr/bin/perl
# A CGI program in Perl: reads a form, answers with what it got.
use strict;
use warnings;

sub escape {
    my ($text) = @_;
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');
    $text =~ s/([&<>"])/$entity{$1}/g;
    return $text;
}

sub decode {
    my ($text) = @_;
    $text =~ tr/+/ /;
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return $text;
}

my $user = escape($ENV{REMOTE_USER} // 'nobody');
my $form = '';
if ($ENV{REQUEST_METHOD} eq 'POST') {
    read STDIN, $form, $ENV{CONTENT_LENGTH} // 0;
}
my %field = map { my ($name, $value) = split /=/, $_, 2; (decode($name), decode($value // '')) } split /&/, $form;
my $answer = exists $field{word} ? escape(scalar reverse $field{word}) : '';

print "Content-Type: text/html; charset=utf-8\r\n\r\n";
print <<"HTML";
<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Perl over CGI</title><link rel="stylesheet" href="/assets/portal.css">
<header class="bar"><div><a class="home" href="/">gw</a></div></header>
<main>
<p class="tag">CGI · Perl</p>
<h1>Hello, $user</h1>
<p class="lead">A form, read from standard input by a Perl program, and turned around.</p>
<form class="stack" method="post">
<label for="word">A word</label>
<input type="text" id="word" name="word" required maxlength="80">
<div><button>Turn it around</button></div>
</form>
@{[ $answer eq '' ? '' : "<p class=\"note\">$answer</p>" ]}
</main></html>
HTML
