// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import "slices"

// similar returns the word that a text was most likely meant to be, the first of several;
// empty where none is near enough to be a slip of the pen.
func similar(s string, words []string) string {
	best, least := "", max(len(s)/3, 1)+1
	if len(s) > maxSimilar {
		return ""
	}
	for _, w := range words {
		if len(w) > maxSimilar || w == s {
			continue
		}
		if n := edits(s, w); n < least {
			best, least = w, n
		}
	}
	return best
}

// meant returns the field of some that a plain word stands for.
func meant(word string, fields []string) string {
	for _, x := range [...][2]string{{"otherwise", "else"}, {"if", "when"}, {"unless", "when"}, {"must", "require"}, {"requires", "require"}, {"to", "until"}, {"begins", "from"}, {"ends", "until"}, {"start", "from"},
		{"end", "until"}, {"amount", "value"}, {"description", "text"}, {"name", "title"}, {"title", "name"}, {"message", "say"}, {"reason", "source"}, {"tests", "scenarios"}} {
		if x[0] == word && slices.Contains(fields, x[1]) {
			return x[1]
		}
	}
	return ""
}

// maxSimilar is the length of a word for which others are looked for.
const maxSimilar = 60

// edits is how many bytes are put in, taken out, changed or swapped with their neighbour
// to make one text of the other.
func edits(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			n := row[j]
			if a[i] != b[j] {
				n++
			}
			n = min(n, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				n = min(n, before[j-1]+1)
			}
			next[j+1] = n
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
