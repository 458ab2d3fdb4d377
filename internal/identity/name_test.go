// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCompare(t *testing.T) {
	tests := []struct {
		a, b string
		want Grade
	}{
		// One script.
		{"Anna Maria Eriksson", "ERIKSSON, ANNA MARIA", Same},
		{"eriksson<<anna<maria", "Anna Maria Eriksson", Same},
		{"Jürgen Müller", "JUERGEN MUELLER", Same},
		{"Jürgen Müller", "Jurgen Muller", Same},
		{"Thérèse Cañon", "THERESE CANON", Same},
		{"Þór Straße", "THOR STRASSE", Same},
		{"Abdul Rahman", "Abdulrahman", Same},
		{"Abd al-Rahman", "ABD RAHMAN", Same},
		{"D'Souza", "DSOUZA", Same},
		{"علی رضایی", "رضايي علي", Same},
		{"محمّد عبدالله", "محمد عبد الله", Same},
		{"فاطمة", "فاطمه", Same},
		{"زہرا خان", "زهرا خان", Same},
		{"شیرین\u200cگل", "شیرین گل", Same},
		{"Muhammad Rehman", "Mohammad Rahman", Close},
		{"Mohd. Aslam", "Muhammad Aslam", Close},
		{"Salah ud Din", "Salahuddin", Close},
		{"Nilavadhanananda Chayapa Dejthamrong Krasuang", "NILAVADHANANANDA CHAYAPA DEJTHAMRONG KRA", Close},
		{"A. M. Eriksson", "Anna Maria Eriksson", Close},
		{"Anna Eriksson", "Anna Maria Eriksson", Close},
		{"Gulbadin Karimi", "Gulbaddin Karimi", Close},
		{"Ahmed Reza", "Hamid Reza", Different},
		{"Muhammad Ali Khan", "Muhammad Ali Raza", Different},
		{"Anna Eriksson", "Peter Stevenson", Different},
		{"علی رضایی", "حسن رضایی", Different},
		// Two scripts: the transliteration of the zone.
		{"محمد", "MXHMD", Same},
		{"ابو بكر محمد بن زكريا الرازي", "ABW<BKR<MXHMD<BN<ZKRYA<ALRAZY", Same},
		{"فاطمة", "FAXTTMXAH", Same},
		{"کریم", "XKKRYM", Same},
		{"کریم", "KRXYAM", Same},
		{"بلوچ", "BLWXC", Same},
		{"شیخ", "XSHYXKH", Same},
		// Two scripts: how it sounds.
		{"حسین", "HUSSAIN", Close},
		{"حسین", "Hossein", Close},
		{"محمد علی", "Muhammad Ali", Close},
		{"محمد علی", "ALI MOHAMMED", Close},
		{"عبدالرحمن", "Abdul Rahman", Close},
		{"عبد الرحمن", "Abdurrahman", Close},
		{"صلاح الدین خان", "Salahuddin Khan", Close},
		{"فاطمه زهرا", "FATIMA ZAHRA", Close},
		{"عثمان", "Othman", Close},
		{"عثمان", "Usman", Close},
		{"رمضان", "Ramezan", Close},
		{"رمضان", "Ramadhan", Close},
		{"اسحاق", "Ishaq", Close},
		{"شاهد", "Shahid", Close},
		{"فرهاد", "Farhad", Close},
		{"ادهم", "Adham", Close},
		{"بھٹی", "Bhatti", Close},
		{"یوسف", "Yousef", Close},
		{"وحید", "Waheed", Close},
		{"پرویز", "Parviz", Close},
		{"عمر", "Omar", Close},
		{"ژاله", "Zhaleh", Close},
		{"چنگیز", "Changez", Close},
		{"غلام رسول", "GHULAM RASOOL", Close},
		{"الیاس", "Elyas", Close},
		{"محمد", "MOHD", Close},
		{"احمد", "Hamid", Different},
		{"حسین", "KARIM ALI REZA", Different},
		{"کریم", "Rahim", Different},
		// Too little to say.
		{"", "Anna", Unknown},
		{"Anna", "  -- ", Unknown},
		{"Анна", "Anna", Unknown},
		{"Annа", "Anna", Unknown}, // a Cyrillic letter among Latin ones
		{"Anna", "Anna Maria", Unknown},
		{"A. M.", "Anna Maria", Unknown},
		{"1234", "Anna", Unknown},
	}
	for _, x := range tests {
		if got := Compare(x.a, x.b); got != x.want {
			t.Errorf("Compare(%q, %q) = %v, want %v", x.a, x.b, got, x.want)
		}
	}
	if got := Grade(9).String(); got != "different" {
		t.Errorf("a grade that is none is %q", got)
	}
}

// TestCompareProperties: a name is the same as itself in any order of its parts, and both
// ways round give one grade.
func TestCompareProperties(t *testing.T) {
	latin := rapid.StringOfN(rapid.RuneFrom([]rune("abcdehiklmnorstuxyzäöüéñ'")), 1, 9, -1)
	arabic := rapid.StringOfN(rapid.RuneFrom([]rune("ابپتثجچحخدذرزسشصضطظعغفقکگلمنوهیكيةأھہڑٹ")), 1, 9, -1)
	name := rapid.OneOf(rapid.SliceOfN(latin, 1, 5), rapid.SliceOfN(arabic, 1, 5))
	rapid.Check(t, func(t *rapid.T) {
		a := name.Draw(t, "a")
		b := name.Draw(t, "b")
		ab := Compare(strings.Join(a, " "), strings.Join(b, " "))
		if ba := Compare(strings.Join(b, " "), strings.Join(a, " ")); ab != ba {
			t.Fatalf("%v one way, %v the other", ab, ba)
		}
		shuffled := rapid.Permutation(a).Draw(t, "order")
		if got := Compare(strings.Join(a, " "), strings.ToUpper(strings.Join(shuffled, "  "))); got != Same && len(parts(strings.Join(a, " "))) > 0 {
			t.Fatalf("%v of itself", got)
		}
	})
}

func FuzzCompare(f *testing.F) {
	f.Add("Anna Maria", "ERIKSSON<<ANNA")
	f.Add("عبدالرحمن", "Abdul Rahman")
	f.Add("thhthhthh shshsh", "ssss hhh")
	f.Add("\xff", "ﷺ")
	f.Fuzz(func(t *testing.T, a, b string) {
		ab := Compare(a, b)
		if ba := Compare(b, a); ab != ba {
			t.Errorf("Compare(%q, %q) = %v and %v", a, b, ab, ba)
		}
		if got := Compare(a, a); got != Same && got != Unknown && utf8.ValidString(a) {
			t.Errorf("Compare(%q, itself) = %v", a, got)
		}
	})
}
