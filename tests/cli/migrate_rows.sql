-- SPDX-License-Identifier: Apache-2.0
INSERT INTO users (id, email, name, mood, updated_at)
  SELECT md5(n::text)::uuid, 'u' || n || '@example', E'a\tb\n\\.\\N' || n, 'good', '2026-01-01Z' FROM generate_series(1, 200) n;
INSERT INTO teams (name, owner_id, tags)
  SELECT 't' || n, md5(n::text)::uuid, ARRAY['a,b', NULL, '"'] FROM generate_series(1, 50) n;
UPDATE users SET default_team_id = 1 + abs(hashtext(email)) % 50;
INSERT INTO team_members SELECT n, md5(n::text)::uuid, 'member' FROM generate_series(1, 50) n;
INSERT INTO accounts (user_id, token) SELECT md5(n::text)::uuid, 'secret' FROM generate_series(1, 9) n;
INSERT INTO projects (team_id, budget) SELECT n, n * 1.5 FROM generate_series(1, 50) n;
INSERT INTO agents (project_id, "Select Model", settings, active)
  SELECT n, 'm', '{"a": 1,  "a": 2}', n % 2 = 0 FROM generate_series(1, 50) n;
INSERT INTO missions (agent_id, due) SELECT n, '2026-02-03' FROM generate_series(1, 50) n;
INSERT INTO tasks (mission_id, title) SELECT 1 + n % 50, 'task ' || n FROM generate_series(1, 3000) n;
UPDATE tasks SET parent_id = 1 + id * 7919 % 3000 WHERE id % 3 = 0;
INSERT INTO conversations SELECT md5('c' || n)::uuid, 1 + n % 50 FROM generate_series(1, 100) n;
INSERT INTO messages SELECT md5('c' || c)::uuid, n, jsonb_build_object('text', repeat('x', 100), 'n', n), '\x00ff5c'
  FROM generate_series(1, 100) c, generate_series(1, 40) n;
INSERT INTO preferences SELECT id, '{"dark": true}' FROM users;
INSERT INTO insights (user_id, score, address) SELECT id, 0.1 + 0.2, '10.0.0.1/8' FROM users;
INSERT INTO agent_logs SELECT 1, 'line' FROM generate_series(1, 20);
INSERT INTO provider_credentials (secret) VALUES ('secret');
INSERT INTO tickets (task_id, valid) SELECT n, '[2026-01-01Z,)' FROM generate_series(1, 30) n;
INSERT INTO events (at, name) SELECT '2026-01-01 00:00:00.123456+02', 'e' || n FROM generate_series(1, 500) n;
INSERT INTO skills VALUES ('a|b'), (''), (E'\\');
INSERT INTO routing_rules SELECT n, 1, 'r' FROM generate_series(1, 50) n;
INSERT INTO appreciations (from_id, wait) SELECT md5(n::text)::uuid, '1 mon 2 days 03:00' FROM generate_series(1, 50) n;
INSERT INTO sessions SELECT n::text, md5(n::text)::uuid FROM generate_series(1, 12) n;
