-- The edges of a thread: nothing where it has no info or the server has lost a part of it, else its
-- head, metadata, time, pins and holds; then for each namespace its name, how many checkpoints it
-- has, and id and content of the first and, where there are more, of the latest.
-- Arguments: thread id.
local id = ARGV[1]
local head = read_head()
if head.created == '-' or is_torn(head) then return {} end
local found = {call('HGET', thread, 'h'), call('HGET', thread, 'm') or '{}',
               call('HGET', orders, 'e' .. id) or '', call('HGET', orders, 'm' .. id) or ''}
for _, name in ipairs(namespaces()) do
  local start = 'c' .. name .. '\0'
  local first = call('ZRANGEBYLEX', index, '[' .. start, '+', 'LIMIT', 0, 1)[1]
  local count = call('ZLEXCOUNT', index, '[' .. start, '(c' .. name .. '\1')
  local edges = {name, count}
  for _, field in ipairs(count > 1 and {first, latest(name)} or {first}) do
    edges[#edges + 1] = field:sub(#start + 1)
    edges[#edges + 1] = call('HGET', thread, field) or ''
  end
  found[#found + 1] = edges
end
return found
