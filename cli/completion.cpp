// SPDX-License-Identifier: Apache-2.0
#include "completion.hpp"

#include <algorithm>

namespace threadkeep::cli {

namespace {

using Commands = std::vector<CommandDescription>;

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

// In single quotes, in which bash, zsh and fish take everything else as it is. Fish takes a
// backslash as well, of which descriptions have none.
std::string quoted(std::string text) {
  for (auto at = text.find('\''); at != std::string::npos; at = text.find('\'', at + 4)) {
    text.replace(at, 1, "'\\''");
  }
  return "'" + text + "'";
}

const CommandDescription& find(const Commands& commands, const std::string& words) {
  return *std::find_if(commands.begin(), commands.end(),
                       [&](const auto& each) { return each.words == words; });
}

std::string below(const CommandDescription& command, const std::string& name) {
  return command.words.empty() ? name : command.words + " " + name;
}

// How bash and zsh find the command among the words before the cursor. Words that are no commands
// change nothing.
void print_walk(std::ostream& out, const Commands& commands) {
  out << "    case \"$command:$word\" in\n";
  for (const auto& command : commands) {
    for (const auto& name : command.commands) {
      out << "      " << quoted(command.words + ":" + name)
          << ") command=" << quoted(below(command, name)) << " ;;\n";
    }
  }
  out << "    esac\n";
}

// What bash completes to after the name of an option.
void print_bash_values(std::ostream& out, const CommandDescription& command) {
  for (const auto& option : command.options) {
    if (!option.takes_value) continue;
    const std::string how = option.is_file ? "-f" : "-W " + quoted(joined(option.values));
    out << "    " << quoted(command.words + ":" + option.name) << ") COMPREPLY=($(compgen " << how
        << " -- \"$current\")); return ;;\n";
  }
}

// Words that the command itself takes and that are known, such as names of shells.
std::vector<std::string> known_words(const CommandDescription& command) {
  std::vector<std::string> words = command.commands;
  for (const auto& positional : command.positionals) {
    words.insert(words.end(), positional.values.begin(), positional.values.end());
  }
  return words;
}

// "name:text" for zsh's _describe, in which a colon of the name or the text has a backslash.
std::string zsh_item(const std::string& name, std::string text) {
  for (auto at = text.find(':'); at != std::string::npos; at = text.find(':', at + 2)) {
    text.replace(at, 1, "\\:");
  }
  return quoted(name + ":" + text);
}

}  // namespace

void print_bash_completion(std::ostream& out, const Commands& commands) {
  out << "# Completion of threadkeep for bash, made by `threadkeep completion bash`.\n"
         "_threadkeep() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command= word words= i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n";
  print_walk(out, commands);
  out << "  done\n"
         "  case \"$command:$previous\" in\n";
  for (const auto& command : commands) print_bash_values(out, command);
  out << "  esac\n"
         "  case \"$command\" in\n";
  for (const auto& command : commands) {
    auto words = known_words(command);
    for (const auto& option : command.options) words.push_back(option.name);
    out << "    " << quoted(command.words) << ") words=" << quoted(joined(words)) << " ;;\n";
  }
  out << "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -F _threadkeep threadkeep\n";
}

void print_zsh_completion(std::ostream& out, const Commands& commands) {
  out << "#compdef threadkeep\n"
         "# Completion of threadkeep for zsh, made by `threadkeep completion zsh`.\n"
         "_threadkeep() {\n"
         "  local command= word\n"
         "  local -a found\n"
         "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n";
  print_walk(out, commands);
  out << "  done\n"
         "  case \"$command:${words[CURRENT-1]}\" in\n";
  for (const auto& command : commands) {
    for (const auto& option : command.options) {
      if (!option.takes_value) continue;
      out << "    " << quoted(command.words + ":" + option.name) << ") "
          << (option.is_file ? "_files" : "compadd -- " + joined(option.values)) << "; return ;;\n";
    }
  }
  out << "  esac\n"
         "  case \"$command\" in\n";
  for (const auto& command : commands) {
    out << "    " << quoted(command.words) << ") found=(";
    for (const auto& name : command.commands) {
      out << "\n      " << zsh_item(name, find(commands, below(command, name)).brief);
    }
    for (const auto& positional : command.positionals) {
      for (const auto& value : positional.values) out << "\n      " << quoted(value);
    }
    for (const auto& option : command.options)
      out << "\n      " << zsh_item(option.name, option.text);
    out << ") ;;\n";
  }
  out << "  esac\n"
         "  _describe 'threadkeep' found\n"
         "}\n"
         "if [[ $funcstack[1] == _threadkeep ]]; then _threadkeep \"$@\"; else compdef _threadkeep "
         "threadkeep; fi\n";
}

void print_fish_completion(std::ostream& out, const Commands& commands) {
  out << "# Completion of threadkeep for fish, made by `threadkeep completion fish`.\n"
         "function __threadkeep_at\n"
         "  set -l command ''\n"
         "  for word in (commandline -opc)[2..-1]\n"
         "    switch \"$command:$word\"\n";
  for (const auto& command : commands) {
    for (const auto& name : command.commands) {
      out << "      case " << quoted(command.words + ":" + name) << "\n        set command "
          << quoted(below(command, name)) << "\n";
    }
  }
  out << "    end\n"
         "  end\n"
         "  test \"$command\" = \"$argv[1]\"\n"
         "end\n"
         "complete -c threadkeep -f\n";
  for (const auto& command : commands) {
    const std::string at =
        "complete -c threadkeep -n " + quoted("__threadkeep_at \"" + command.words + "\"");
    for (const auto& name : command.commands) {
      out << at << " -a " << name << " -d " << quoted(find(commands, below(command, name)).brief)
          << "\n";
    }
    for (const auto& positional : command.positionals) {
      if (!positional.values.empty())
        out << at << " -a " << quoted(joined(positional.values)) << "\n";
    }
    for (const auto& option : command.options) {
      out << at << " -l " << option.name.substr(2) << " -d " << quoted(option.text);
      if (option.takes_value) out << (option.is_file ? " -r -F" : " -x");
      if (!option.values.empty()) out << " -a " << quoted(joined(option.values));
      out << "\n";
    }
  }
}

}  // namespace threadkeep::cli
