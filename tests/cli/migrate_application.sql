-- SPDX-License-Identifier: Apache-2.0
-- An application as users of agents have it: cycles, a self reference, names in quotes, all kinds of keys.
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL UNIQUE, name text, mood mood,
  default_team_id bigint, created_at timestamp NOT NULL DEFAULT '2026-01-01', updated_at timestamptz NOT NULL);
CREATE TABLE teams (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
  owner_id uuid NOT NULL REFERENCES users, tags text[]);
ALTER TABLE users ADD CONSTRAINT users_team FOREIGN KEY (default_team_id) REFERENCES teams;
CREATE TABLE team_members (team_id bigint REFERENCES teams, user_id uuid REFERENCES users,
  role text NOT NULL, PRIMARY KEY (team_id, user_id));
CREATE TABLE accounts (id serial PRIMARY KEY, user_id uuid REFERENCES users, token text);
CREATE TABLE projects (id serial PRIMARY KEY, team_id bigint REFERENCES teams, budget numeric(10,2));
CREATE TABLE agents (id serial PRIMARY KEY, project_id int NOT NULL REFERENCES projects,
  "Select Model" text, settings json, active boolean);
CREATE TABLE missions (id serial PRIMARY KEY, agent_id int NOT NULL REFERENCES agents, due date);
CREATE TABLE tasks (id serial PRIMARY KEY, parent_id int REFERENCES tasks,
  mission_id int NOT NULL REFERENCES missions, title text, version int NOT NULL DEFAULT 1);
CREATE TABLE conversations (id uuid PRIMARY KEY, agent_id int REFERENCES agents);
CREATE TABLE messages (conversation_id uuid REFERENCES conversations, seq bigint, content jsonb,
  attachment bytea, size int GENERATED ALWAYS AS (length(content::text)) STORED,
  PRIMARY KEY (conversation_id, seq));
CREATE TABLE preferences (user_id uuid PRIMARY KEY REFERENCES users, data jsonb);
CREATE TABLE insights (id serial PRIMARY KEY, user_id uuid REFERENCES users, score double precision,
  address inet);
CREATE TABLE agent_logs (agent_id int REFERENCES agents, line text);
CREATE TABLE provider_credentials (id serial PRIMARY KEY, secret bytea);
CREATE TABLE tickets (id serial PRIMARY KEY, task_id int REFERENCES tasks, valid tstzrange);
CREATE TABLE events (id bigserial PRIMARY KEY, at timestamptz, name text);
CREATE TABLE skills (name text PRIMARY KEY);
CREATE TABLE routing_rules (agent_id int REFERENCES agents, priority smallint, rule text,
  PRIMARY KEY (agent_id, priority));
CREATE TABLE appreciations (id serial PRIMARY KEY, from_id uuid REFERENCES users, wait interval);
CREATE TABLE sessions (id text PRIMARY KEY, user_id uuid REFERENCES users);
