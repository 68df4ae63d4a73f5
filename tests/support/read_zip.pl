# Prints `= NUMBER` before each zip and `sha256 mode name` of every file in it:
# `perl read_zip.pl directory|stream ZIP...`. `directory` follows the central directory with
# Archive::Zip, `stream` the local headers with IO::Uncompress::Unzip of Perl itself.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);

my ($mode, @paths) = @ARGV;
binmode(STDOUT);
my $number = 0;
for my $path (@paths) {
    print "= ", $number++, "\n";
    $mode eq 'directory' ? directory($path) : stream($path);
}

sub directory {
    my ($path) = @_;
    require Archive::Zip;
    Archive::Zip->import(qw(:ERROR_CODES));
    my $zip = Archive::Zip->new();
    $zip->read($path) == Archive::Zip::AZ_OK() or die "cannot read $path\n";
    for my $member ($zip->members()) {
        next if $member->isDirectory();
        my ($data, $status) = $member->contents();
        $status == Archive::Zip::AZ_OK() or die "bad member in $path\n";
        my $mode = sprintf('%o', $member->unixFileAttributes() & 0777);
        my $name = $member->fileName();
        utf8::encode($name) if utf8::is_utf8($name);
        print sha256_hex($data), " $mode $name\n";
    }
}

sub stream {
    my ($path) = @_;
    require IO::Uncompress::Unzip;
    my $zip = IO::Uncompress::Unzip->new($path, Strict => 1) or die "cannot read $path\n";
    my $status = 1;
    while ($status > 0) {
        my $name = $zip->getHeaderInfo()->{Name};
        my ($data, $buffer) = ('', '');
        while (($status = $zip->read($buffer)) > 0) { $data .= $buffer; }
        die "bad member in $path\n" if $status < 0;
        print sha256_hex($data), " - $name\n" unless $name =~ m{/$};
        $status = $zip->nextStream();
    }
    die "cut: $path\n" if $status < 0;
}
