// What the Redis store has the server do in one step, each a Lua script (EVAL is atomic).
//
// A session is a hash of v (version), c (created), e (end), u (user: "" or "=" and the name), d (data) and w (the names of its
// last writes), which Redis forgets at its end. The sessions of a user are a sorted set of their keys by end, so that all of them can be ended.
import { redisScript } from "../redis/link.ts";

// ARGV[1] of every script is the prefix of all keys.
const INDEX = `
local function index_of(user) return ARGV[1] .. 'user:' .. string.sub(user, 2) end
local function note(user, id, ends)
  if user == '' then return end
  local index = index_of(user)
  local now = redis.call('TIME')
  redis.call('ZREMRANGEBYSCORE', index, '-inf', now[1] * 1000)
  redis.call('ZADD', index, ends, id)
  redis.call('PEXPIREAT', index, redis.call('ZREVRANGE', index, 0, 0, 'WITHSCORES')[2])
end
local function forget(user, id)
  if user and user ~= '' then redis.call('ZREM', index_of(user), id) end
end
local function put(key, id, version, created, ends, user, data)
  redis.call('HSET', key, 'v', version, 'c', created, 'e', ends, 'u', user, 'd', data)
  redis.call('PEXPIREAT', key, ends)
  note(user, id, ends)
end
`;

/** KEYS: session. ARGV: prefix, id, version, created, end, user, data. */
export const CREATE: ReturnType<typeof redisScript> = redisScript(`${INDEX}
put(KEYS[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7])
return 1`);

/**
 * KEYS: session, its new place. ARGV: prefix, id, new id, version that must be there, the new record as of CREATE, a name of this
 * write: clients send a command again whose answer was lost with the connection, and a write that was made is no conflict with itself.
 */
export const SWAP: ReturnType<typeof redisScript> = redisScript(`${INDEX}
local held = redis.call('HMGET', KEYS[1], 'v', 'u', 'w')
if held[1] ~= ARGV[4] then
  local writes = redis.call('HGET', KEYS[2], 'w')
  return writes and string.find(writes, ARGV[10], 1, true) and 1 or 0
end
if KEYS[1] ~= KEYS[2] then redis.call('DEL', KEYS[1]) end
if KEYS[1] ~= KEYS[2] or held[2] ~= ARGV[8] then forget(held[2], ARGV[2]) end
put(KEYS[2], ARGV[3], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9])
redis.call('HSET', KEYS[2], 'w', string.sub(ARGV[10] .. (held[3] or ''), 1, 8 * string.len(ARGV[10])))
return 1`);

/** KEYS: session. ARGV: prefix, id, end. The data stays where it is. */
export const TOUCH: ReturnType<typeof redisScript> = redisScript(`${INDEX}
local user = redis.call('HGET', KEYS[1], 'u')
if not user then return 0 end
redis.call('HSET', KEYS[1], 'e', ARGV[3])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
note(user, ARGV[2], ARGV[3])
return 1`);

/** KEYS: session. ARGV: prefix, id. */
export const END: ReturnType<typeof redisScript> = redisScript(`${INDEX}
forget(redis.call('HGET', KEYS[1], 'u'), ARGV[2])
return redis.call('DEL', KEYS[1])`);

/** KEYS: the sessions of a user. ARGV: prefix. How many there were. */
export const END_ALL: ReturnType<typeof redisScript> = redisScript(`
local ended = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do ended = ended + redis.call('DEL', ARGV[1] .. id) end
redis.call('DEL', KEYS[1])
return ended`);
