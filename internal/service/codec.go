// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"slices"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/erasure"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/screening"
	"darwaza.dev/internal/stats"
)

// MaxCommand is the largest encoded command, in bytes.
const MaxCommand = 1 << 20

// NewCodec returns the codec of every fact; rows, commands and answers use it too.
func NewCodec() *fact.Codec {
	return fact.NewCodec(slices.Concat(booking.Facts(), gate.Facts(), market.Facts(), people.Facts(), stats.Facts(), erasure.Facts(), appeal.Facts(), protocol.Facts(), screening.Facts(), intake.Facts(), closure.Facts())...)
}

// Decode returns the command of a kind from the form in which it is forwarded to the
// log's owner. A kind that this build does not know is a problem of kind invalid.
func Decode(codec *fact.Codec, kind string, body []byte) (Command, error) {
	if len(body) > MaxCommand {
		return nil, problem.New(problem.Limit, "command.size")
	}
	switch kind {
	case Book{}.CommandKind():
		return decode[Book](codec, body)
	case DecideBooking{}.CommandKind():
		return decode[DecideBooking](codec, body)
	case Cancel{}.CommandKind():
		return decode[Cancel](codec, body)
	case Move{}.CommandKind():
		return decode[Move](codec, body)
	case BookTest{}.CommandKind():
		return decode[BookTest](codec, body)
	case Accept{}.CommandKind():
		return decode[Accept](codec, body)
	case Decline{}.CommandKind():
		return decode[Decline](codec, body)
	case Reissue{}.CommandKind():
		return decode[Reissue](codec, body)
	case SetLevel{}.CommandKind():
		return decode[SetLevel](codec, body)
	case HearLevels{}.CommandKind():
		return decode[HearLevels](codec, body)
	case CommitIntake{}.CommandKind():
		return decode[CommitIntake](codec, body)
	case MeasureIntake{}.CommandKind():
		return decode[MeasureIntake](codec, body)
	case HearPlaces{}.CommandKind():
		return decode[HearPlaces](codec, body)
	case Suspend{}.CommandKind():
		return decode[Suspend](codec, body)
	case Lift{}.CommandKind():
		return decode[Lift](codec, body)
	case ProposePlan{}.CommandKind():
		return decode[ProposePlan](codec, body)
	case AcceptPlan{}.CommandKind():
		return decode[AcceptPlan](codec, body)
	case HearClosures{}.CommandKind():
		return decode[HearClosures](codec, body)
	case Sweep{}.CommandKind():
		return decode[Sweep](codec, body)
	case Acknowledge{}.CommandKind():
		return decode[Acknowledge](codec, body)
	case Claims{}.CommandKind():
		return decode[Claims](codec, body)
	case Movements{}.CommandKind():
		return decode[Movements](codec, body)
	case BeginList{}.CommandKind():
		return decode[BeginList](codec, body)
	case OpenSales{}.CommandKind():
		return decode[OpenSales](codec, body)
	case Withdrawn{}.CommandKind():
		return decode[Withdrawn](codec, body)
	case OtherFigures{}.CommandKind():
		return decode[OtherFigures](codec, body)
	case Scan{}.CommandKind():
		return decode[Scan](codec, body)
	case DecideScan{}.CommandKind():
		return decode[DecideScan](codec, body)
	case DecideGoods{}.CommandKind():
		return decode[DecideGoods](codec, body)
	case UndoScan{}.CommandKind():
		return decode[UndoScan](codec, body)
	case Settle{}.CommandKind():
		return decode[Settle](codec, body)
	case Display{}.CommandKind():
		return decode[Display](codec, body)
	case Buy{}.CommandKind():
		return decode[Buy](codec, body)
	case Void{}.CommandKind():
		return decode[Void](codec, body)
	case Enrol{}.CommandKind():
		return decode[Enrol](codec, body)
	case Appoint{}.CommandKind():
		return decode[Appoint](codec, body)
	case Erase{}.CommandKind():
		return decode[Erase](codec, body)
	case EraseDone{}.CommandKind():
		return decode[EraseDone](codec, body)
	case EraseDay{}.CommandKind():
		return decode[EraseDay](codec, body)
	case Contest{}.CommandKind():
		return decode[Contest](codec, body)
	case AnswerCase{}.CommandKind():
		return decode[AnswerCase](codec, body)
	case OpenHealth{}.CommandKind():
		return decode[OpenHealth](codec, body)
	case SeeHealth{}.CommandKind():
		return decode[SeeHealth](codec, body)
	case IsolateHealth{}.CommandKind():
		return decode[IsolateHealth](codec, body)
	case HandHealth{}.CommandKind():
		return decode[HandHealth](codec, body)
	case IssueHealth{}.CommandKind():
		return decode[IssueHealth](codec, body)
	case CloseHealth{}.CommandKind():
		return decode[CloseHealth](codec, body)
	case ReleaseHealth{}.CommandKind():
		return decode[ReleaseHealth](codec, body)
	case EraseHealth{}.CommandKind():
		return decode[EraseHealth](codec, body)
	}
	return nil, problem.New(problem.Invalid, "command.unknown")
}

func decode[C Command](codec *fact.Codec, body []byte) (Command, error) {
	var c C
	if err := codec.Unmarshal(body, &c); err != nil {
		return nil, problem.Wrap(problem.Invalid, "command.form", err)
	}
	return c, nil
}
