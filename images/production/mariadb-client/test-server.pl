# test-server.pl SOCKET USER PASSWORD: as much of a MariaDB server as test.sh asks for. It knows one user and answers one
# question. https://mariadb.com/kb/en/clientserver-protocol/
use v5.36;
use Digest::SHA qw(sha1);
use IO::Socket::UNIX;

my ($path, $user, $password) = @ARGV;
my $salt = 'abcdefghijklmnopqrst';
my $client;

# A packet is its length in three bytes, its number, and what it holds.
sub receive () {
  (read($client, my $head, 4) // 0) == 4 or exit;
  my ($length, $number) = unpack 'VX C', $head;
  read($client, my $packet, $length & 0xffffff);
  return ($packet, ord(substr $head, 3) + 1);
}
sub send_packets ($number, @packets) {
  print $client substr(pack('V', length), 0, 3), chr $number++, $_ for @packets;
}
sub text ($value) { chr(length $value) . $value }

my $ok = "\0\0\0\2\0\0\0";
my $end = "\xfe\0\0\2\0";
sub fault ($code, $state, $message) { "\xff" . pack('v', $code) . "#$state$message" }
sub rows ($column, @values) {
  (chr 1, text('def') . text('') x 3 . text($column) . text('') . pack('CvVCvCv', 12, 45, 255, 253, 0, 0, 0), $end, (map { text($_) } @values), $end);
}

# Protocol 10, mysql_native_password; none of what a client need not have.
sub serve () {
  send_packets(0, chr(10) . "11.8.0-test\0" . pack('V', 1) . substr($salt, 0, 8) . "\0" . pack('vCvv', 0xa209, 45, 2, 8) . chr(21) . "\0" x 10 . substr($salt, 8) . "\0mysql_native_password\0");
  my ($login, $number) = receive();
  my ($name, $proof) = unpack 'x32 Z* C/a', $login;
  my $expected = sha1($password) ^. sha1($salt . sha1(sha1($password)));
  return send_packets($number, fault(1045, '28000', 'Access denied')) unless $name eq $user && $proof eq $expected;
  send_packets($number, $ok);
  while (1) {
    my ($command, $number) = receive();
    my $kind = ord $command;
    my $text = substr $command, 1;
    say STDERR "$kind $text";
    if ($kind == 14) { send_packets($number, $ok) }
    elsif ($kind == 3 && $text eq 'SELECT 6 * 7 AS answer') { send_packets($number, rows('answer', 42)) }
    else { send_packets($number, fault(1064, '42000', "not known here: $text")) }
  }
}

my $server = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die "$path: $!\n";
$SIG{CHLD} = 'IGNORE';
while (1) {
  $client = $server->accept or next;
  $client->autoflush;
  next if fork;
  serve();
  exit;
}
