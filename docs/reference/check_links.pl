#!/usr/bin/perl
# Looks for dead local links in Markdown and HTML files: check_links.pl FILE…
# A link must lead to a file or folder, and its anchor to a heading or an element of that file. The exit status is 1 if
# one does not; what is on the web is not asked for.
use strict;
use warnings;
use File::Basename;

sub text_of {
  my ($path) = @_;
  open my $file, '<:utf8', $path or die "$path: $!\n";
  local $/;
  return <$file>;
}

# Markdown without its code, in which nothing is a link.
sub prose_of {
  my ($text) = @_;
  $text =~ s/^```.*?^```//gms;
  $text =~ s/^(    |\t).*$//gm;
  $text =~ s/`[^`\n]*`/code/g;
  return $text;
}

# The names that a file's anchors may have: ids of HTML, headings of Markdown as GitHub names them.
my %anchors;
sub anchors_of {
  my ($path) = @_;
  return $anchors{$path} if $anchors{$path};
  my $text = text_of($path);
  my %names;
  if ($path =~ /\.md$/) {
    $text =~ s/^```.*?^```//gms;
    for ($text =~ /^#+ +(.*?)\s*$/gm) {
      my $name = lc;
      $name =~ s/[^\w\- ]//g;
      $name =~ s/ /-/g;
      $names{$name} = 1;
    }
  } else {
    $names{$_} = 1 for $text =~ /\b(?:id|name)="([^"]+)"/g;
  }
  return $anchors{$path} = \%names;
}

binmode STDERR, ":utf8";
my $dead = 0;
my $links = 0;
for my $path (@ARGV) {
  my $text = text_of($path);
  my @targets = $path =~ /\.md$/ ? prose_of($text) =~ /\]\(([^)\s]+)\)/g
                                 : grep { defined } $text =~ /<[^>]*\s(?:href|src)="([^"]+)"/g;
  for my $target (@targets) {
    next if $target =~ m{^([a-z]+:|//)}i;
    ++$links;
    my ($file, $anchor) = $target =~ /^([^#?]*)(?:\?[^#]*)?#?(.*)$/;
    $file =~ s/%([0-9a-f]{2})/chr hex $1/gei;
    my $place = $file eq '' ? $path : dirname($path) . "/$file";
    my $found = -e $place && ($anchor eq '' || $place !~ /\.(md|html)$/ || anchors_of($place)->{$anchor});
    next if $found;
    print STDERR "$path: dead link $target\n";
    ++$dead;
  }
}
printf "%d files, %d local links, %d dead\n", scalar @ARGV, $links, $dead;
exit($dead ? 1 : 0);
