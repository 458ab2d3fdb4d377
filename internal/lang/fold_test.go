// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package lang

import (
	"testing"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	same := [][]string{
		// Arabic, Persian and Urdu keyboards.
		{"ايران", "ایران", "اىران"},
		{"كشك", "کشک", "ڪشک"},
		{"گوجه فرنگی", "گوجہ فرنگی", "گوجة فرنگي", " گوجه   فرنگی "},
		{"سیب\u200cزمینی", "سیبزمینی", "سيب\u200cزميني"},
		{"خانهٔ", "خانه", "خانۀ", "خانۂ"},
		{"محمّد", "محمد", "مُحَمَّد"},
		{"آب", "اب", "أب", "ٱب", "إب"},
		{"مسؤول", "مسوول"},
		{"جرأت", "جرات"},
		{"پہاڑی", "پهاڑي", "پهاڑے"},
		{"بھنڈی", "بهنڈی", "بہنڈی"},
		{"ماں", "مان"},
		{"چائے", "چایے", "چایی"},
		{"کـــره", "کره", "کرة"},
		{"ﻻ", "لا", "لآ"},
		{"۱۲۳", "١٢٣", "123", "１２３"},
		{"CAFÉ", "café", "cafe"},
		{"Ｍａｓｔ", "mast"},
		{"a\u200fb\u200c", "ab"},
	}
	for _, group := range same {
		for _, s := range group[1:] {
			if Fold(s) != Fold(group[0]) {
				t.Errorf("%q and %q: %q and %q", s, group[0], Fold(s), Fold(group[0]))
			}
		}
	}
	for _, pair := range [][2]string{{"ٹماٹر", "تماتر"}, {"گل", "کل"}, {"پهاڑ", "پهار"}, {"سیب", "شیب"}, {"ab", "a b"}} {
		if Fold(pair[0]) == Fold(pair[1]) {
			t.Errorf("%q and %q are one", pair[0], pair[1])
		}
	}
	if got := Fold("  "); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestFoldTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("آأؤئءةهہھۂۓيىیےكکگ ًّٕٔـ\u200c ۱١1aÉİ")))).Draw(t, "s")
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Fatalf("%q: %q, then %q", s, once, twice)
		}
	})
}
