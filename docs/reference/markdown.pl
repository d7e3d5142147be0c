#!/usr/bin/perl
# Doxygen's INPUT_FILTER for Markdown: links work between our pages, and what leads to a file that is no page is left as
# its text. Anchors are dropped, as Doxygen names them differently from GitHub.
use strict;
use warnings;
use File::Basename;

my $main = $ARGV[0] =~ m{^(.*/)?README\.md$} && -f ($1 // '') . 'CMakePresets.json';
my $folder = dirname($ARGV[0]);
my $code = 0;
while (my $line = <>) {
  $code = !$code if $line =~ /^```/;
  unless ($code || $line =~ /^    /) {
    $line =~ s{(?<!!)\[([^\]]*)\]\((?!https?://)([^)#]*)(#[^)]*)?\)}{
      my ($text, $path) = ($1, $2);
      $path =~ /\.md$/ && -f "$folder/$path" ? "[$text]($path)" : $text}ge;
    $line =~ s{(!\[[^\]]*\]\()[^)]*/}{$1};  # Doxygen finds pictures by their names
    $line =~ s/^(# .*)/$1 {#mainpage}/ if $main && $. == 1;
    $line =~ s/(`[^`]*`)|([@<>])/$1 \/\/ "\\$2"/ge;
  }
  print $line;
}
