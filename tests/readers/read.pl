# Perl's standard modules.
use strict;
use warnings;

use Archive::Tar;
use Compress::Zlib ();
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);

my ($method, $file) = @ARGV;
binmode STDOUT;

sub content {
    open my $input, '<:raw', $file or die "$file: $!\n";
    local $/;
    return <$input>;
}

my %methods = (
    'gunzip' => sub { gunzip($file => \*STDOUT) or die "$GunzipError\n" },
    'MultiStream' => sub { gunzip($file => \*STDOUT, MultiStream => 1) or die "$GunzipError\n" },
    'memGunzip' => sub { print Compress::Zlib::memGunzip(content()) // die "memGunzip failed\n" },
    'gzopen' => sub {
        my $input = Compress::Zlib::gzopen($file, 'rb') or die "gzopen failed\n";
        my $read;
        while (($read = $input->gzread(my $buffer, 65536)) > 0) { print $buffer }
        die 'gzread: ' . $input->gzerror() . "\n" if $read < 0;
    },
    'Archive::Tar' => sub {
        my $archive = Archive::Tar->new($file) or die Archive::Tar->error() . "\n";
        $archive->extract() or die $archive->error() . "\n";
    },
);
($methods{$method} or die "unknown method: $method\n")->();
