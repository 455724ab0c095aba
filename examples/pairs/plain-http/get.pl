# Two pages on one connection, as the manual of LWP::UserAgent shows it; an argument is the time limit of each step in seconds,
# with which it also looks whether the page is whole: LWP says "success" of a part too.
use strict;
use warnings;
use LWP::UserAgent;

my $agent = LWP::UserAgent->new(keep_alive => 1, @ARGV ? (timeout => $ARGV[0]) : ());
for my $i (0 .. 1) {
    sleep 1 if $i > 0;
    my $reply = $agent->get("http://server/numbers");
    die $reply->status_line . "\n" unless $reply->is_success;
    if (@ARGV) {
        my $died = $reply->header("X-Died");
        die $died if defined $died;
        die "the page is cut short\n" if length $reply->content < ($reply->content_length // 0);
    }
    print $reply->decoded_content;
}
