-- SPDX-License-Identifier: Apache-2.0
  {schema}threadkeep_retention_stored_policies(),
  {schema}threadkeep_retention_archive_required(),
  {schema}threadkeep_retention_keep_time(text),
  {schema}threadkeep_retention_preview(jsonb),
  {schema}threadkeep_retention_leftovers(text, text),
  {schema}threadkeep_retention_refresh(text[]),
  {schema}threadkeep_retention_begin(text),
  {schema}threadkeep_retention_look(bigint, integer),
  {schema}threadkeep_retention_batch(bigint, integer, jsonb, text),
  {schema}threadkeep_retention_finish(bigint, boolean, text),
  {schema}langgraph_cleanup_old_data(interval)
