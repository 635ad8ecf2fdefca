# Perl FCGI: `fastcgi.pl SOCKET PROCESSES`.
use strict;
use warnings;
use FCGI;

my ($path, $processes) = @ARGV;
my $listener = FCGI::OpenSocket($path, 128);
for (2 .. $processes) { last if !fork }
my $big = 'x' x (1 << 20);
my %env;
my $request = FCGI::Request(\*STDIN, \*STDOUT, \*STDERR, \%env, $listener, FCGI::FAIL_ACCEPT_ON_INTR);
while ($request->Accept >= 0) {
  if (($env{QUERY_STRING} // '') eq 'big') {
    print "Content-Type: text/plain\r\nContent-Length: 1048576\r\n\r\n", $big;
  } elsif ($env{REQUEST_METHOD} eq 'POST') {
    my ($sum, $buffer) = (0);
    while ((my $count = read(STDIN, $buffer, 65536)) > 0) { $sum += $count }
    printf "Content-Type: text/plain\r\nContent-Length: 8\r\n\r\n%08d", $sum;
  } else {
    print "Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";
  }
}
