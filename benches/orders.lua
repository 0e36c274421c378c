-- Posts orders to a running Tributary, each new, each of a click of its own.
--
-- usage: wrk -s orders.lua http://HOST:PORT/v1/orders -- API_KEY FILE_OF_CLICK_IDS

local clicks, headers, placed_at = {}, {}, os.date("!%Y-%m-%dT%H:%M:%SZ")
local number = 0
-- Global, so that `done` can ask each thread for it.
refused = 0
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  headers = { ["Authorization"] = "Bearer " .. arguments[1], ["Content-Type"] = "application/json" }
  for line in io.lines(arguments[2]) do
    table.insert(clicks, line)
  end
end

function request()
  number = number + 1
  local click = clicks[(number - 1) % #clicks + 1]
  local body = string.format(
    '{"external_id":"bench-%d","placed_at":"%s","currency":"GBP","total":"100.00","tax":"20.00","click_id":"%s","customer":{"id":"customer-%d","email":"buyer-%d@mail.example"}}',
    number, placed_at, click, number, number)
  return wrk.format("POST", nil, headers, body)
end

function response(status, _, body)
  if status ~= 201 or not body:find('"via":"click"', 1, true) then
    refused = refused + 1
    if refused == 1 then
      io.stderr:write(status .. " " .. body .. "\n")
    end
  end
end

function done(summary, latency)
  local seconds = summary.duration / 1e6
  for _, thread in ipairs(threads) do
    local wrong = thread:get("refused")
    if wrong > 0 then
      io.stderr:write(wrong .. " answers were not a new order that a click is owed\n")
    end
  end
  io.write(string.format("%.0f/s (median %.2f ms, p99 %.2f ms)\n", summary.requests / seconds, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
