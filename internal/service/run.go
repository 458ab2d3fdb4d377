// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import "darwaza.dev/internal/problem"

func later() error { return problem.New(problem.Internal, "command.unready") }

// Run decides and records.
func (c Book) Run(tx *Tx) (any, error)        { return BookingAnswer{}, later() }
func (c Cancel) Run(tx *Tx) (any, error)      { return BookingAnswer{}, later() }
func (c Move) Run(tx *Tx) (any, error)        { return BookingAnswer{}, later() }
func (c Accept) Run(tx *Tx) (any, error)      { return BookingAnswer{}, later() }
func (c Decline) Run(tx *Tx) (any, error)     { return BookingAnswer{}, later() }
func (c Reissue) Run(tx *Tx) (any, error)     { return BookingAnswer{}, later() }
func (c Sweep) Run(tx *Tx) (any, error)       { return SweepAnswer{}, later() }
func (c Acknowledge) Run(tx *Tx) (any, error) { return AcknowledgeAnswer{}, later() }
func (c Withdrawn) Run(tx *Tx) (any, error)   { return WithdrawnAnswer{}, later() }
func (c Foreign) Run(tx *Tx) (any, error)     { return ForeignAnswer{}, later() }
func (c Scan) Run(tx *Tx) (any, error)        { return ScanAnswer{}, later() }
func (c DecideScan) Run(tx *Tx) (any, error)  { return ScanAnswer{}, later() }
func (c UndoScan) Run(tx *Tx) (any, error)    { return ScanAnswer{}, later() }
func (c Settle) Run(tx *Tx) (any, error)      { return SettleAnswer{}, later() }
func (c Display) Run(tx *Tx) (any, error)     { return DisplayAnswer{}, later() }
func (c Buy) Run(tx *Tx) (any, error)         { return BuyAnswer{}, later() }
func (c Void) Run(tx *Tx) (any, error)        { return BuyAnswer{}, later() }
func (c Enrol) Run(tx *Tx) (any, error)       { return EnrolAnswer{}, later() }
func (c Appoint) Run(tx *Tx) (any, error)     { return AppointAnswer{}, later() }
