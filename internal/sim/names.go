// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

// Invented people: common given names and family names of the two sides, put together
// by chance. Nobody is meant.
var (
	namesA = [2][]string{
		{"Ahmed", "Bibi", "Dad", "Fatima", "Ghulam", "Hammal", "Imran", "Jamila", "Khadija", "Liaquat", "Mahnaz", "Mehrab", "Nazia", "Noor", "Qadir", "Rahila", "Sana", "Shah", "Tariq", "Yasmin", "Zarina", "Zahid"},
		{"Baloch", "Buzdar", "Dashti", "Gichki", "Hoth", "Kalmati", "Kashani", "Mengal", "Nausherwani", "Raisani", "Rind", "Sanjrani", "Shambezai", "Zehri"},
	}
	namesB = [2][]string{
		{"Ali", "Amir", "Azar", "Behrouz", "Darya", "Elham", "Farid", "Gol", "Hamid", "Kaveh", "Laleh", "Mahtab", "Mina", "Nader", "Omid", "Parvin", "Reza", "Sahar", "Shirin", "Yousef", "Zahra", "Zohreh"},
		{"Amiri", "Barahoui", "Damani", "Hosseinbor", "Jalali", "Karimi", "Mohammadi", "Mollazehi", "Naroui", "Rahimi", "Rigi", "Sardarzehi", "Shahbakhsh", "Zehi"},
	}
)
