// SPDX-License-Identifier: Apache-2.0
#include "langgraph_tables.hpp"

#include "postgres/sql.hpp"
#include "template.hpp"

namespace threadkeep::postgres {

std::string all_langgraph_tables() {
  return fill(sql::setup_langgraph_tables,
              {{"{if_missing}", ""}, {"{if_new}", ""}, {"{bytewise}", " COLLATE \"C\""}});
}

std::string missing_langgraph_tables() {
  return fill(sql::setup_langgraph_tables, {{"{if_missing}", "IF NOT EXISTS "},
                                            {"{if_new}", " ON CONFLICT DO NOTHING"},
                                            {"{bytewise}", ""}}) +
         std::string(sql::setup_langgraph_blob) + std::string(sql::setup_langgraph_task_path);
}

}  // namespace threadkeep::postgres
