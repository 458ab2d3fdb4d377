// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strconv"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// bookIn asks for places in a slot.
type bookIn struct {
	Slot     string     `json:"slot"`
	People   []personIn `json:"people"`
	Phone    string     `json:"phone"`
	Waits    bool       `json:"waits"`
	Standing bool       `json:"standing"`
	Test     string     `json:"test"` // slot of the health desk, empty for none
}

type personIn struct {
	Name     string     `json:"name"`
	Document documentIn `json:"document"`
	Age      *int16     `json:"age"`
	Children uint8      `json:"children"`
	// Certificate is a health certificate as its code says it, judged and not kept.
	Certificate string `json:"certificate"`
}

// bookingOut is a booking in a document, with the passes of the moment.
type bookingOut struct {
	Reference  string      `json:"reference"`
	Status     string      `json:"status"`
	Slot       slotOut     `json:"slot"`
	Members    []memberOut `json:"members"`
	Standing   bool        `json:"standing"`
	Ahead      *uint64     `json:"ahead,omitempty"` // parties before this one in the queue
	OfferUntil *time.Time  `json:"offer_until,omitempty"`
	MadeAt     time.Time   `json:"made_at"`
	Moves      uint8       `json:"moves"`
	// Test is what it has at the health desk.
	Test *bookedTestOut `json:"test,omitempty"`
}

type memberOut struct {
	Member     int     `json:"member"`
	Place      uint32  `json:"place"`
	Children   uint8   `json:"children"`
	PassID     pass.ID `json:"pass_id"`
	Generation uint8   `json:"generation"`
	Pass       string  `json:"pass,omitempty"`
}

// bookingAnswerOut is the answer to every act on a booking.
type bookingAnswerOut struct {
	Verdict rules.Verdict `json:"verdict"`
	Says    []string      `json:"says,omitempty"`
	Booking *bookingOut   `json:"booking,omitempty"`
	Request *requestOut   `json:"request,omitempty"` // that gave no booking, or that was decided on
	Record  recordOut     `json:"record"`
}

// statusWord is a booking's state in documents and text keys.
func statusWord(st booking.Status) string {
	switch st {
	case booking.Waiting:
		return "waiting"
	case booking.Offered:
		return "offered"
	case booking.Booked:
		return "booked"
	case booking.Cancelled:
		return "cancelled"
	case booking.Lapsed:
		return "lapsed"
	case booking.Used:
		return "used"
	case booking.NoShow:
		return "no_show"
	}
	return "unknown"
}

// bookingDocument writes a booking down and signs its passes.
func (s *server) bookingDocument(r *request, b booking.Booking) (*bookingOut, error) {
	out := &bookingOut{
		Reference: string(b.Ref), Status: statusWord(b.Status), Slot: s.slotOut(b.Slot, r.Now), Members: make([]memberOut, len(b.Members)),
		Standing: b.Standing, MadeAt: b.At.UTC(), Moves: b.Moves, Test: s.testDocument(b),
	}
	if b.Status == booking.Offered {
		t := b.OfferUntil.UTC()
		out.OfferUntil = &t
	}
	for i, m := range b.Members {
		text, _, err := s.passText(b, i)
		if err != nil {
			return nil, err
		}
		out.Members[i] = memberOut{Member: i, Place: m.Place, Children: m.Children, PassID: m.Pass, Generation: m.Gen, Pass: text}
	}
	return out, nil
}

func (s *server) answerBooking(w http.ResponseWriter, r *request, a service.BookingAnswer, d service.Done) error {
	out := bookingAnswerOut{Verdict: a.Verdict, Says: s.says(r.Lang, a.Verdict), Record: recorded(d)}
	if a.Refusal.Ref != "" {
		out.Request = s.requestDocument(r, a.Refusal)
	}
	if a.Booking.Ref != "" {
		var err error
		if out.Booking, err = s.bookingDocument(r, a.Booking); err != nil {
			return err
		}
	}
	return s.ok(w, out)
}

// apiBook takes places for a program.
func (s *server) apiBook(w http.ResponseWriter, r *request) error {
	in, err := decode[bookIn](r)
	if err != nil {
		return err
	}
	o := order{Waits: in.Waits, Standing: in.Standing, Officer: r.Officer.ID, People: make([]person, len(in.People))}
	if o.Slot, err = parseSlotID("slot", in.Slot); err != nil {
		return err
	}
	if o.Test, err = parseTest("test", in.Test); err != nil {
		return err
	}
	if n := len(in.People); n == 0 || n > maxParty {
		return problem.Field("people", "people.count")
	}
	if o.Phone, err = plainText("phone", in.Phone, 40); err != nil {
		return err
	}
	for i, p := range in.People {
		field := "people." + strconv.Itoa(i)
		q := person{Age: -1, Children: p.Children}
		if q.Name, err = plainText(field+".name", p.Name, 120); err != nil {
			return err
		}
		if q.Document, err = p.Document.parse(field + ".document"); err != nil {
			return err
		}
		if p.Age != nil {
			if *p.Age < 0 || *p.Age > 150 {
				return problem.Field(field+".age", "age")
			}
			q.Age = *p.Age
		}
		if p.Certificate != "" {
			if q.Shown, err = s.shownTo(r, field+".certificate", o.Slot, p.Certificate); err != nil {
				return err
			}
		}
		o.People[i] = q
	}
	a, d, err := s.book(r, o)
	if err != nil {
		return err
	}
	return s.answerBooking(w, r, a, d)
}

// referenceHeader holds a reference that shall stand in no address.
const referenceHeader = "Booking-Reference"

// referenceOf is the reference that a call names: in its path, or in a header where the
// path has "-" in its place, as proxies before a server and whoever calls it keep addresses
// (decision 0015).
func referenceOf(r *request, name string) booking.Ref {
	text := r.PathValue(name)
	if text == "-" {
		text = r.Header.Get(referenceHeader)
	}
	return parseRef(text)
}

// bookingNamed is the booking that a call's path names. A reference that nobody has is a
// problem, so that programs see their mistake; so is one of another site than the
// officer's.
func (s *server) bookingNamed(r *request) (on theirs, ahead uint64, err error) {
	on.By = r.Officer.ID
	known := false
	err = s.view(r.Context(), func(st service.State) error {
		if on.Booking, known = service.BookingOf(st, referenceOf(r, "ref")); !known {
			return nil
		}
		ahead = aheadOf(st, on.Booking)
		if on.Booking.Sealed != "" {
			on.Sealed, _ = st.Sealed.Get(on.Booking.Sealed)
		}
		return nil
	})
	switch {
	case err != nil:
		return on, 0, err
	case !known:
		return on, 0, problem.New(problem.NotFound, "booking")
	}
	return on, ahead, s.mayActOn(r, on.Booking.Slot)
}

// apiBooking shows a booking.
func (s *server) apiBooking(w http.ResponseWriter, r *request) error {
	on, ahead, err := s.bookingNamed(r)
	if err != nil {
		return err
	}
	out, err := s.bookingDocument(r, on.Booking)
	if err != nil {
		return err
	}
	if on.Booking.Status == booking.Waiting {
		out.Ahead = &ahead
	}
	return s.ok(w, out)
}

// aheadOf counts the parties that wait before a booking in its slot's queue. Positions
// whose party has gone are not counted.
func aheadOf(st service.State, b booking.Booking) uint64 {
	if b.Status != booking.Waiting {
		return 0
	}
	slot, ok := st.Booking.Slots.Get(b.Slot)
	if !ok {
		return 0
	}
	var n uint64
	// A queue is bounded by the law's limits on a slot; the bound here keeps a page cheap.
	for p := slot.StandbyHead; p < b.Position && p < slot.StandbyHead+500; p++ {
		if _, ok := st.Booking.Standby.Get(booking.StandbyKey{Slot: b.Slot, Pos: p}); ok {
			n++
		}
	}
	return n
}

// bookingAct runs an act on an existing booking.
func (s *server) bookingAct(w http.ResponseWriter, r *request, command bookingCommand) error {
	on, _, err := s.bookingNamed(r)
	if err != nil {
		return err
	}
	c, err := command(r, nil, on)
	if err != nil {
		return err
	}
	a, d, err := do[service.BookingAnswer](s, r, c)
	if err != nil {
		return err
	}
	return s.answerBooking(w, r, a, d)
}

// plainAct runs an act whose call says nothing but which booking.
func (s *server) plainAct(w http.ResponseWriter, r *request, command bookingCommand) error {
	if _, err := decode[struct{}](r); err != nil {
		return err
	}
	return s.bookingAct(w, r, command)
}

func (s *server) apiCancel(w http.ResponseWriter, r *request) error {
	return s.plainAct(w, r, cancelCommand)
}

type moveIn struct {
	To   string `json:"to"`
	Test string `json:"test"` // slot of the health desk, empty for one that fits
}

func (s *server) apiMove(w http.ResponseWriter, r *request) error {
	in, err := decode[moveIn](r)
	if err != nil {
		return err
	}
	to, err := parseSlotID("to", in.To)
	if err != nil {
		return err
	}
	test, err := parseTest("test", in.Test)
	if err != nil {
		return err
	}
	return s.bookingAct(w, r, func(r *request, _ formValues, on theirs) (service.Command, error) { return s.moveTo(r, on, to, test) })
}

func (s *server) apiAccept(w http.ResponseWriter, r *request) error {
	return s.plainAct(w, r, acceptCommand)
}

func (s *server) apiDecline(w http.ResponseWriter, r *request) error {
	return s.plainAct(w, r, declineCommand)
}

type reissueIn struct {
	Member uint8 `json:"member"`
}

func (s *server) apiReissue(w http.ResponseWriter, r *request) error {
	in, err := decode[reissueIn](r)
	if err != nil {
		return err
	}
	return s.bookingAct(w, r, func(_ *request, _ formValues, on theirs) (service.Command, error) {
		return service.Reissue{Ref: on.Booking.Ref, Member: in.Member, Officer: on.By}, nil
	})
}
