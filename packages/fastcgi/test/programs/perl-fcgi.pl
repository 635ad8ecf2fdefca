# A FastCGI program as people write them in Perl: FCGI.pm, one request after the other.
use strict;
use warnings;
use FCGI;

my %environment;
my $request = FCGI::Request(\*STDIN, \*STDOUT, \*STDERR, \%environment);
while ($request->Accept() >= 0) {
    binmode STDOUT;
    my $path = $environment{PATH_INFO} // '';
    if ($path eq '/echo') {
        print "Content-Type: application/octet-stream\r\n\r\n";
        while (read(STDIN, my $piece, 16384)) { print $piece }
    } elsif ($path eq '/variables') {
        print "Content-Type: text/plain\r\n\r\n";
        print map { "$_=$environment{$_}\n" } sort keys %environment;
    } else {
        print STDERR "a word for the log\n" if $path eq '/error';
        print "Content-Type: text/plain\r\n\r\n$$";
    }
}
