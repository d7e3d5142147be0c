#!/usr/bin/perl
# Doxygen's INPUT_FILTER for our headers: prints one with its plain comments as Doxygen comments.
#
#   // in front of a declaration    becomes ///
#   // behind a member              becomes ///<
#   // apart from any declaration   becomes a part of the file's description
#   lines indented by two or more   become code blocks: formulas, tables, examples
#
# Private parts are left out, and friends that are functions become members, as Doxygen links to them as if they were.
# What means something to Doxygen or Markdown (< > @ # …) is escaped, as comments are written for people.
use strict;
use warnings;

sub escaped {
  my ($text) = @_;
  my @parts = split /(`[^`]*`)/, $text;
  for (@parts) { s/([\\@<>&#%*|])/\\$1/g unless /^`/; }
  return join '', @parts;
}

# The lines with the first sentence, or what there is of it before a formula or an empty line, as a paragraph of its own.
sub with_brief {
  my $end = 0;
  ++$end while $end < @_ && $_[$end] =~ /^ {1,2}\S/;
  my ($first, $rest) = split /(?<=[.])\s+/, join("\n", @_[0 .. $end - 1]), 2;
  return (split(/\n/, ' \\brief' . ($first // '')), '', defined $rest ? map { s/^ ?/ /r } split(/\n/, $rest) : (), @_[$end .. $#_]);
}

# The comment lines of one block, without their //, as Doxygen's.
sub block {
  my ($indent, $head, @lines) = @_;  # $head: a command before all, or none
  my @out = $head;
  my $code = 0;
  @lines = with_brief(@lines) unless $head;
  for my $line (@lines) {
    my $indented = $line =~ /^ {3,}\S/;
    push @out, $indented ? '\code{.unparsed}' : '\endcode' if $indented != $code;
    $code = $indented;
    push @out, $indented ? $line : escaped($line) =~ s/^ \\\\brief/ \\brief/r;
  }
  push @out, '\endcode' if $code;
  return map { "$indent///" . (/^ / || $_ eq '' ? '' : ' ') . "$_\n" } grep { defined } @out;
}

my @lines = <>;
chomp @lines;
my $foreign = 0;
my @private;  # the indents of the classes whose private part we are in
for (my $i = 0; $i < @lines; ++$i) {
  if ($lines[$i] =~ m{^(\s*)//}) {
    my $indent = $1;
    my @block;
    for (; $i < @lines && $lines[$i] =~ m{^\s*//(.*)}; ++$i) { push @block, $1; }
    my $next = $lines[$i] // '';
    --$i;
    if (($lines[$i + 2] // '') =~ /^struct Eigen::/) {
      $foreign = 1;  # a specialisation for Eigen, of a template that Doxygen does not know
      print "/// \\cond\n";
    } elsif ($next !~ /^\s*($|#pragma|\}|public:|private:|protected:)/) {
      print block($indent, undef, @block);
    } elsif ($indent eq '') {
      print block('', '\file', @block);
      print "\n";  # so that it does not run into the next block
    }
  } elsif ($lines[$i] =~ m{^(\s*[^\s/#\}][^"]*?[;,\w\}])(\s+)//(?! NOLINT)(.*)} && $1 !~ m{//}) {
    my ($code, $space, $comment) = ($1, $2, $3);
    my $column = length "$code$space";
    for (; ($lines[$i + 1] // '') =~ m{^(\s+)//(.*)} && length $1 == $column; ++$i) { $comment .= $2; }
    print "$code$space///<", escaped($comment), "\n";
  } elsif ($lines[$i] =~ /^(\s*) private:$/) {
    print "$lines[$i]\n$1/// \\cond\n";
    push @private, $1;
  } else {
    print pop(@private), "/// \\endcond\n" if @private && $lines[$i] =~ /^$private[-1]\};/;
    print $lines[$i] =~ s/^\s*\Kfriend (?!class)//r, "\n";
  }
}
print "/// \\endcond\n" if $foreign;
