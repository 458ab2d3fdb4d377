-- Copyright The Darwaza Authors.
-- SPDX-License-Identifier: Apache-2.0

-- +goose Up
CREATE TABLE head (
	id         BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
	size       BIGINT NOT NULL CHECK (size >= 0),
	root       BLOB   NOT NULL,
	checkpoint BLOB   NOT NULL,
	epoch      BIGINT NOT NULL,
	last_at    BIGINT NOT NULL
);
-- The root of the empty tree is the SHA-256 of nothing (RFC 6962 section 2.1).
INSERT INTO head VALUES (1, 0, x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', x'', 0, 0);

CREATE TABLE lease (
	id      BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
	owner   TEXT   NOT NULL,
	address TEXT   NOT NULL,
	epoch   BIGINT NOT NULL,
	expiry  BIGINT NOT NULL
);
INSERT INTO lease VALUES (1, '', '', 0, 0);

CREATE TABLE secrets (
	name  TEXT NOT NULL PRIMARY KEY,
	value BLOB NOT NULL
);

CREATE TABLE entries (
	idx        INTEGER PRIMARY KEY,
	envelope   BLOB NOT NULL,
	disclosure BLOB NOT NULL
);

CREATE TABLE tiles (
	level  BIGINT NOT NULL,
	idx    BIGINT NOT NULL,
	hashes BLOB   NOT NULL,
	PRIMARY KEY (level, idx)
);

CREATE TABLE slots (
	k            BLOB   NOT NULL PRIMARY KEY,
	allotment    BIGINT NOT NULL CHECK (allotment >= 0),
	taken        BIGINT NOT NULL CHECK (taken >= 0),
	withheld     BIGINT NOT NULL CHECK (withheld >= 0),
	excess       BIGINT NOT NULL CHECK (excess >= 0),
	offered      BIGINT NOT NULL CHECK (offered >= 0),
	next_place   BIGINT NOT NULL,
	standby_head BIGINT NOT NULL,
	standby_tail BIGINT NOT NULL,
	-- No sale may take more than the allotment, but for what had been sold before it shrank.
	CONSTRAINT no_oversell CHECK (taken + withheld + offered <= allotment + excess)
);
