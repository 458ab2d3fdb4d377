// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"darwaza.dev/internal/problem"
)

// maxAnswer is the most that is read of an answer.
const maxAnswer = 1 << 20

// caller calls one side's API as one of its officers' programs.
type caller struct {
	base   string
	token  string
	client *http.Client
}

// call sends a call and reads its answer. key makes a retry the same act; in is nil for
// a GET. A problem document is a problem with the kind of its status.
func (c caller) call(ctx context.Context, method, path, key string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return problem.Wrap(problem.Internal, "call", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return problem.Wrap(problem.Internal, "call", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := c.client.Do(req)
	if err != nil {
		return problem.Newf(problem.Offline, "call", "%s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return problem.Newf(problem.Offline, "call", "%s %s: %w", method, path, err)
	}
	if res.StatusCode != http.StatusOK {
		return problem.Newf(problem.Invalid, "call", "%s %s: %s: %.300s", method, path, res.Status, b)
	}
	if err := json.Unmarshal(b, out); err != nil {
		return problem.Newf(problem.Invalid, "call", "%s %s: %w", method, path, err)
	}
	return nil
}

func newClient() *http.Client {
	return &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 128, DisableCompression: true},
	}
}

// What the API says, as far as the simulated people listen. See openapi.yaml.

type verdict struct {
	Outcome string `json:"outcome"`
	Reasons []struct {
		Code    string `json:"code"`
		Outcome string `json:"outcome"`
		Clause  string `json:"clause"`
	} `json:"reasons"`
}

type bookingAnswer struct {
	Verdict verdict `json:"verdict"`
	Booking *booked `json:"booking"`
}

type booked struct {
	Reference string `json:"reference"`
	Status    string `json:"status"`
	Members   []struct {
		Pass string `json:"pass"`
	} `json:"members"`
	Test *struct {
		Places int `json:"places"`
	} `json:"test"`
}

type scanAnswer struct {
	Verdict verdict `json:"verdict"`
	Scan    struct {
		Serial  uint64 `json:"serial"`
		Counted bool   `json:"counted"`
	} `json:"scan"`
	PassID string   `json:"pass_id"`
	Inside uint32   `json:"inside"`
	Cap    uint32   `json:"cap"`
	Asks   []string `json:"asks"`
}

type buyAnswer struct {
	Verdict  verdict `json:"verdict"`
	Purchase *struct {
		Number string `json:"number"`
		Value  int64  `json:"value"`
		Regime string `json:"regime"`
		Duty   *int64 `json:"duty"`
	} `json:"purchase"`
	Fits    int64  `json:"fits"`
	Receipt string `json:"receipt"`
}

type document struct {
	Kind    string `json:"kind"`
	Country string `json:"country"`
	Number  string `json:"number"`
}

func documentOf(v *Visitor) document { return document{v.Kind, v.Country, v.Number} }

// stamp is a time as the API takes days.
func stamp(t time.Time) string { return fmt.Sprintf("%04d-%02d-%02d", t.Year(), t.Month(), t.Day()) }
