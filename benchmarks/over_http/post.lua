-- For wrk: POST the bodies of a file one after the other, over and over, and print what came of it as JSON.
-- The file is bodies, each after its length on a line of its own. Arguments: the file, the content type.
-- wrk counts an answer above 399 as a status error; neither side ever redirects.

local requests, at = {}, 0

function init(args)
  local headers = { ["Content-Type"] = args[2] }
  local file = assert(io.open(args[1], "rb"))
  local size = file:read("*n")
  while size do
    file:read(1)
    requests[#requests + 1] = wrk.format("POST", nil, headers, file:read(size))
    size = file:read("*n")
  end
  file:close()
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50_ms":%.3f,"p95_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3
  ))
end
