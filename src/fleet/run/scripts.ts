/** A photo that failed has not. */
const FORGET = `
local function forget(run, failed, photo)
  local record = redis.call('HGET', failed, photo)
  if not record then return end
  redis.call('HDEL', failed, photo)
  redis.call('HINCRBY', run, 'error:' .. cjson.decode(record).code, -1)
end`;

/** Lua for the server, each one step that is taken whole or not at all. */
export const SCRIPTS = {
  /**
   * KEYS run, runs, open, failed, rate, deaths, hands; ARGV name, spec. The spec that is there. Who submits again wants what
   * was set aside tried again too.
   */
  register: `
local there = redis.call('HGET', KEYS[1], 'spec')
if there and there ~= ARGV[2] then return there end
local now = redis.call('TIME')[1]
if redis.call('HGET', KEYS[1], 'state') == 'cancelled' then redis.call('DEL', KEYS[3]) end
redis.call('HSETNX', KEYS[1], 'startedAt', now)
redis.call('HSET', KEYS[1], 'spec', ARGV[2], 'state', 'submitting', 'submitterAt', now, 'nDone', 0, 'nEarlier', 0)
redis.call('HDEL', KEYS[1], 'endedAt', 'isRetried')
redis.call('DEL', KEYS[6])
redis.call('ZADD', KEYS[2], 'NX', now, ARGV[1])
for i = 1, #KEYS do if i ~= 2 then redis.call('PERSIST', KEYS[i]) end end
return ARGV[2]`,
  /** KEYS run, what else is kept of it. Which retry this is; nothing for a run that was cancelled. One that is being put in is left so. */
  beginRetry: `
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'cancelled' then return end
if state ~= 'submitting' then
  redis.call('HSET', KEYS[1], 'state', 'submitting', 'isRetried', 1, 'submitterAt', redis.call('TIME')[1])
end
redis.call('HDEL', KEYS[1], 'endedAt')
for i = 1, #KEYS do redis.call('PERSIST', KEYS[i]) end
return (redis.call('HGET', KEYS[1], 'nRetries') or 0) + 1`,
  /** KEYS run. Nothing of one that the server has lost: it would be left there without anything else. */
  noteSubmitter: `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HSET', KEYS[1], 'submitterAt', redis.call('TIME')[1])`,
  /**
   * KEYS runs; ARGV what a run's key begins with. Those that are all in and have no open job: one question, however many
   * runs there are, for every idle worker asks it. Its keys are not all named before, as a cluster would need.
   */
  toMerge: `
local found = {}
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local run = ARGV[1] .. name
  if redis.call('HGET', run, 'state') == 'submitted' and redis.call('SCARD', run .. ':open') == 0 then
    found[#found + 1] = name
  end
end
return found`,
  /** KEYS run, open; ARGV jobs. A run that is at its end already, since another has put in all of its own, is not any more. */
  openJobs: `
for i = 1, #ARGV do redis.call('SADD', KEYS[2], ARGV[i]) end
if redis.call('HGET', KEYS[1], 'state') == 'merged' then redis.call('HSET', KEYS[1], 'state', 'submitted') end
for i = 1, #KEYS do redis.call('PERSIST', KEYS[i]) end
return 1`,
  /** KEYS run, open; ARGV which retry. Whether no job is open. What whoever submits has begun, they end. */
  endRetry: `
redis.call('HSET', KEYS[1], 'nRetries', ARGV[1])
if redis.call('HDEL', KEYS[1], 'isRetried') == 0 then return 0 end
if redis.call('HGET', KEYS[1], 'state') ~= 'submitting' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'submitted')
return redis.call('SCARD', KEYS[2]) == 0 and 1 or 0`,
  /** KEYS run, open. Whether no job is open. */
  endSubmission: `
if redis.call('HGET', KEYS[1], 'state') ~= 'submitting' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'submitted')
return redis.call('SCARD', KEYS[2]) == 0 and 1 or 0`,
  /**
   * KEYS run, open, failed, rate, hands; ARGV job, number of photos done, their paths, then of each that failed: path,
   * record. Whether it was the run's last job.
   */
  endJob: `
${FORGET}
redis.call('HDEL', KEYS[5], ARGV[1])
if redis.call('SREM', KEYS[2], ARGV[1]) == 1 then
  local nDone = tonumber(ARGV[2])
  for i = 3, 2 + nDone do forget(KEYS[1], KEYS[3], ARGV[i]) end
  for i = 3 + nDone, #ARGV, 2 do
    forget(KEYS[1], KEYS[3], ARGV[i])
    redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
    redis.call('HINCRBY', KEYS[1], 'error:' .. cjson.decode(ARGV[i + 1]).code, 1)
  end
  redis.call('HINCRBY', KEYS[1], 'nDone', nDone)
  redis.call('HINCRBY', KEYS[4], math.floor(redis.call('TIME')[1] / 60), nDone + (#ARGV - 2 - nDone) / 2)
end
local isIn = redis.call('HGET', KEYS[1], 'state') == 'submitted'
return isIn and redis.call('SCARD', KEYS[2]) == 0 and 1 or 0`,
  /** KEYS run, open, failed, what else is kept of it; ARGV seconds to keep it. Not where more was put in meanwhile. */
  endRun: `
if redis.call('HGET', KEYS[1], 'state') ~= 'submitted' or redis.call('SCARD', KEYS[2]) > 0 then return 0 end
local nDone = (redis.call('HGET', KEYS[1], 'nPhotos') or 0) - redis.call('HLEN', KEYS[3])
redis.call('HSET', KEYS[1], 'nDone', nDone, 'nEarlier', 0)
redis.call('HSET', KEYS[1], 'state', 'merged', 'endedAt', redis.call('TIME')[1])
for i = 1, #KEYS do redis.call('EXPIRE', KEYS[i], ARGV[1]) end
return 1`,
  /** KEYS hands; ARGV job. What was in hand. */
  takeHand: `
local hand = redis.call('HGET', KEYS[1], ARGV[1])
if hand then redis.call('HDEL', KEYS[1], ARGV[1]) end
return hand`,
  /** KEYS run, failed, deaths; ARGV paths. */
  forgetFailures: `
${FORGET}
for i = 1, #ARGV do
  redis.call('HDEL', KEYS[3], ARGV[i])
  forget(KEYS[1], KEYS[2], ARGV[i])
end
return 1`,
  /** KEYS workers; ARGV id, record. */
  noteWorker: `
return redis.call('HSET', KEYS[1], ARGV[1], redis.call('TIME')[1] .. ' ' .. ARGV[2])`,
} as const;
