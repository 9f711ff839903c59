local wrote = false
local function call(...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then
    error(reply.err, 0)
  end
  return reply
end
local function write(...)
  local reply = call(...)
  wrote = true
  return reply
end
local at = 1
local function take()
  at = at + 1
  return ARGV[at - 1]
end
local function find(key, pattern)
  if key then
    return call('EXISTS', key) == 1 and {key} or {}
  end
  local keys, seen, cursor = {}, {}, '0'
  repeat
    local reply = call('SCAN', cursor, 'MATCH', pattern, 'COUNT', 1000, 'TYPE', 'string')
    cursor = reply[1]
    for _, found in ipairs(reply[2]) do
      if not seen[found] then
        seen[found] = true
        keys[#keys + 1] = found
      end
    end
  until cursor == '0'
  return keys
end
local function run()
  local holds = true
  for _ = 1, tonumber(take()) do
    local kind = take()
    local key = KEYS[tonumber(take())]
    local value = take()
    if kind == 'V' then
      holds = (call('GET', key) == value) and holds
    else
      holds = ((call('EXISTS', key) == 1) == (kind == 'P')) and holds
    end
  end
  local ops
  for branch = 1, 2 do
    local some = {}
    for i = 1, tonumber(take()) do
      some[i] = {kind = take(), key = KEYS[tonumber(take())], value = take(), how = take()}
    end
    if holds == (branch == 1) then
      ops = some
    end
  end
  for _, op in ipairs(ops) do
    if op.kind == 'G' or (op.kind == 'D' and op.how == 'P') then
      for _, key in ipairs(find(op.key, op.value)) do
        if call('TYPE', key).ok ~= 'string' then
          return redis.error_reply('WRONGTYPE `' .. key .. '` holds no string')
        end
      end
    end
  end
  local results = {}
  for i, op in ipairs(ops) do
    if op.kind == 'S' then
      if op.how == '' then
        write('SET', op.key, op.value)
      elseif op.how == 'K' then
        write('SET', op.key, op.value, 'KEEPTTL')
      else
        write('SET', op.key, op.value, 'PX', op.how)
      end
      results[i] = call('PTTL', op.key)
    else
      local pairs, count = {}, 0
      for _, key in ipairs(find(op.key, op.value)) do
        if op.kind == 'G' or op.how == 'P' then
          pairs[#pairs + 1] = key
          pairs[#pairs + 1] = call('GET', key)
        end
        if op.kind == 'D' then
          count = count + write('DEL', key)
        end
      end
      results[i] = {count, pairs}
    end
  end
  return {holds and 1 or 0, results}
end
local done, reply = pcall(run)
if done then
  return reply
end
local why = type(reply) == 'table' and reply.err or tostring(reply)
return redis.error_reply((wrote and 'PARTLY ' or '') .. why)
