-- Copyright The Darwaza Authors.
-- SPDX-License-Identifier: Apache-2.0

-- +goose Up
-- The logs of others that this side mirrors, by a number of its own. size and root are what
-- is stored; checkpoint is the newest signed head of which all is stored, cosigned here.
CREATE TABLE mirrors (
	log        BIGINT NOT NULL PRIMARY KEY CHECK (log > 0 AND log < 32768),
	origin     TEXT   NOT NULL UNIQUE,
	size       BIGINT NOT NULL CHECK (size >= 0 AND size < 281474976710656),
	root       BLOB   NOT NULL,
	checkpoint BLOB   NOT NULL,
	pending    BLOB   NOT NULL,
	applied    BIGINT NOT NULL CHECK (applied >= 0 AND applied <= size),
	halted     TEXT   NOT NULL
);

-- idx is log * 2^48 + position.
CREATE TABLE mirror_entries (
	idx        INTEGER NOT NULL PRIMARY KEY,
	envelope   BLOB NOT NULL,
	disclosure BLOB NOT NULL
);

CREATE TABLE mirror_tiles (
	log    BIGINT NOT NULL,
	level  BIGINT NOT NULL,
	idx    BIGINT NOT NULL,
	hashes BLOB   NOT NULL,
	PRIMARY KEY (log, level, idx)
);

-- The newest head of this side's own log that another has cosigned, by the cosigner's name.
CREATE TABLE cosigned (
	cosigner   TEXT   NOT NULL PRIMARY KEY,
	size       BIGINT NOT NULL,
	checkpoint BLOB   NOT NULL
);
