-- What nginx decides itself: whether a decision of the decider's still counts, and what of an application's answer
-- reaches a browser. Loaded once; `require("gateway")(settings)` returns the handlers that nginx.conf names.
--
-- settings.base: "" or "/spark"; settings.identity: a function, of a request's variables all that says who sends it, in
-- one text; settings.trusted: the headers among it that an ingress sets.
--
-- What runs for each request has no loops: LuaJIT compiles it as a whole.

local balancer = require "ngx.balancer"
local ffi = require "ffi"
local re_find = ngx.re.find
local decisions = ngx.shared.decisions
local generations = ngx.shared.generation
local counts = ngx.shared.counts

ffi.cdef "unsigned char *SHA256(const unsigned char *d, size_t n, unsigned char *md);"
local digest = ffi.new("unsigned char[32]")

-- A decision is kept only for requests that nobody could read in two ways, and that change nothing.
local BENIGN = [[^(?!.*(?:\.\.|//|kill|doas))[a-z0-9/_.?&=,:+-]*$]]
local OWN_PATH = [[^(?!.*(?:\.\.|//))[A-Za-z0-9/_.-]*$]]
local PATH = [[^/[\x21-\x7e]*$]]

-- What an application may say of its answer. Whatever could change the browser's mind about the whole origin (cookies,
-- service workers, HSTS, CORS, stored data, reports) is not among it.
local RESPONSE_HEADERS = {}
for _, name in ipairs {
  "accept-ranges", "allow", "connection", "content-disposition", "content-encoding", "content-language", "content-length",
  "content-range", "content-security-policy", "content-type", "etag", "last-modified", "referrer-policy", "retry-after",
  "transfer-encoding", "vary", "x-content-type-options", "x-frame-options", "x-xss-protection",
} do
  RESPONSE_HEADERS[name] = true
end

-- Seconds, of the histogram.
local BUCKETS = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60 }

local function sha256(text)
  ffi.C.SHA256(text, #text, digest)
  return ffi.string(digest, 32)
end

local function starts_with(text, prefix)
  return text:sub(1, #prefix) == prefix
end

return function(settings)
  local M = {}
  local base = settings.base
  local mounts = "^(" .. base:gsub("[.]", "\\.") .. [[/(?:[a-z0-9][a-z0-9-]*/(?:proxy/[A-Za-z0-9._-]+|shs)|shs))/]]

  local function refuse(status, reason)
    ngx.var.reason = reason
    return ngx.exit(status)
  end

  -- Lets the request go to a target.
  local function go(context, path, ip, port, application, user)
    local var, ctx, static = ngx.var, ngx.ctx, starts_with(path, "/static/")
    ctx.ip, ctx.port, ctx.static = ip, tonumber(port), static
    var.target_host = ip .. ":" .. port
    var.target_path = path
    var.context = context
    var.application = application
    var.user = user
    -- The files of one page are many and cheap: they have a count of their own, and none with the application.
    var.limit_user = user ~= "" and static and user .. " static" or user
    var.limit_application = static and "" or application
  end

  -- Whether a header that an ingress sets is there twice: nginx's variables would show the one that came first.
  local function ambiguous()
    local headers = ngx.req.get_headers(0)
    for _, name in ipairs(settings.trusted) do
      if type(headers[name]) == "table" then
        return true
      end
    end
    return false
  end

  -- Where a decision about what begins with `mount` is kept.
  local function key_of(mount)
    local var, generation = ngx.var, generations:get("now") or 0
    return sha256(generation .. "\n" .. mount .. "\n" .. (var.http_host or "") .. "\n" .. settings.identity(var))
  end

  -- The parts of a decision that is kept.
  local function unpacked(kept)
    local first = kept:find("\n", 1, true)
    local second = kept:find("\n", first + 1, true)
    local third = kept:find("\n", second + 1, true)
    return kept:sub(1, first - 1), kept:sub(first + 1, second - 1), kept:sub(second + 1, third - 1), kept:sub(third + 1)
  end

  local function ask(mount, key)
    local var = ngx.var
    local answer = ngx.location.capture("/-/internal/authz")
    local header = answer.header
    if answer.status == 401 or answer.status == 403 then
      var.reason = header["X-Reason"] or ""
      return ngx.exec("@answer")
    end
    local ip, port = (header["X-Upstream"] or ""):match("^([%x.:%[%]]+):(%d+)$")
    local path = header["X-Upstream-Path"] or ""
    if answer.status ~= 200 or not ip or not re_find(path, PATH, "jo") then
      var.reason = "no decision: " .. answer.status
      return ngx.exec("@down")
    end
    local context, application, user = header["X-Context"] or "", header["X-Application"] or "", header["X-User"] or ""
    local seconds = tonumber(header["X-Decision-Seconds"]) or 0
    -- Kept for the whole mount: only if this answer is what the next one will be made of.
    if key and seconds > 0 and context == mount and mount .. path == var.request_uri then
      decisions:set(key, table.concat({ ip, port, application, user }, "\n"), seconds)
    end
    return go(context, path, ip, port, application, user)
  end

  -- rewrite: may this request pass, and where to?
  function M.decide()
    local var = ngx.var
    local uri, path = var.request_uri, var.raw_path
    if not re_find(var.request, "^[A-Z]+ /.* HTTP/1", "jo") then
      return refuse(400, "request line")
    end
    if var.http_upgrade then
      return refuse(400, "upgrade")
    end
    if #settings.trusted > 0 and ambiguous() then
      return refuse(400, "ambiguous identity")
    end
    if var.http_service_worker then
      return refuse(403, "service worker")
    end
    if path == base or path == base .. "/" or starts_with(path, base .. "/-/") then
      if not re_find(path, OWN_PATH, "jo") then
        return refuse(400, "path")
      end
      if starts_with(path, base .. "/-/internal") or starts_with(path, base .. "/-/answer") then
        return refuse(404, "internal")
      end
      return ngx.exec("@own")
    end
    local method = var.request_method
    if method ~= "GET" and method ~= "HEAD" then
      -- Only a POST may pass, with its body.
      if method == "POST" then
        ngx.req.read_body()
      else
        ngx.req.discard_body()
      end
      var.decision = "asked"
      return ask()
    end
    local mount, key
    if re_find(uri, BENIGN, "ijo") then
      local from, to = re_find(uri, mounts, "jo")
      mount = from and uri:sub(1, to - 1)
      key = mount and key_of(mount)
    end
    local kept = key and decisions:get(key)
    if kept then
      var.decision = "kept"
      return go(mount, uri:sub(#mount + 1), unpacked(kept))
    end
    var.decision = "asked"
    return ask(mount, key)
  end

  -- balancer: connections are pooled by address.
  function M.connect()
    local ctx = ngx.ctx
    local ok, problem = balancer.set_current_peer(ctx.ip, ctx.port)
    if not ok then
      ngx.log(ngx.CRIT, "no target: ", problem)
      return ngx.exit(502)
    end
  end

  -- header_filter: an application's answer, less what it must not say.
  function M.clean()
    local header, status = ngx.header, ngx.status
    -- What is no HTTP, nginx takes for HTTP 0.9: it would hand on raw bytes, headers of the application's own making.
    if ngx.req.http_version() < 1 then
      return ngx.exit(444)
    end
    if status < 200 or status > 599 then
      return ngx.exit(502)
    end
    for name in pairs(ngx.resp.get_headers(0)) do
      if not RESPONSE_HEADERS[name] then
        header[name] = nil
      end
    end
    local cacheable = ngx.ctx.static and status == 200
    header["Cache-Control"] = cacheable and "private, max-age=3600" or "no-cache, no-store, must-revalidate"
  end

  -- content: an application's redirect, as a path below its prefix.
  function M.redirect()
    local var = ngx.var
    local context, location = var.context, var.upstream_http_location or ""
    local origin = "http://" .. var.target_host
    if location == origin or starts_with(location, origin .. "/") then
      location = location:sub(#origin + 1)
      location = location == "" and "/" or location
    end
    local above = [[(?:^|[/\\])(?:\.|%2e){2}(?:[/\\?#]|$)]]
    if not re_find(location, [[^/(?![/\\])[\x21-\x7e]*$]], "jo") or re_find(location, above, "ijo") then
      var.reason = "foreign redirect"
      ngx.status = 502
      ngx.header["Content-Type"] = "text/plain"
      return ngx.print("The application redirects to a place outside of itself: this is not passed on.\n")
    end
    if location ~= context and not starts_with(location, context .. "/") then
      location = context .. location
    end
    ngx.status = tonumber(var.upstream_status:match("%d+$"))
    ngx.header["Location"] = location
    ngx.header["Cache-Control"] = "no-cache, no-store, must-revalidate"
    return ngx.exit(ngx.status)
  end

  -- log: who answered and how, and how long applications took.
  function M.count()
    local var = ngx.var
    local by_application = var.target_host ~= ""
    counts:incr((by_application and "application " or "service ") .. math.floor(ngx.status / 100), 1, 0)
    if by_application then
      local seconds, bucket = tonumber(var.request_time), 1
      while BUCKETS[bucket] and seconds > BUCKETS[bucket] do
        bucket = bucket + 1
      end
      counts:incr("bucket " .. bucket, 1, 0)
      counts:incr("seconds", seconds, 0)
    end
  end

  -- content of the control socket: the counts, as Prometheus reads them.
  function M.metrics()
    local name = "spark_ui_proxy_requests_total"
    ngx.say("# HELP ", name, " Requests at nginx, by who answers.\n# TYPE ", name, " counter")
    for _, by in ipairs { "application", "service" } do
      for class = 1, 5 do
        local count = counts:get(by .. " " .. class)
        if count then
          ngx.say(name, '{by="', by, '",status="', class, 'xx"} ', count)
        end
      end
    end
    name = "spark_ui_proxy_request_seconds"
    ngx.say("# HELP ", name, " Of requests that applications answer.\n# TYPE ", name, " histogram")
    local total = 0
    for number = 1, #BUCKETS + 1 do
      total = total + (counts:get("bucket " .. number) or 0)
      ngx.say(name, '_bucket{le="', BUCKETS[number] or "+Inf", '"} ', total)
    end
    ngx.say(name, "_sum ", counts:get("seconds") or 0, "\n", name, "_count ", total)
  end

  -- content of the control socket: a target is gone. Keys have the generation in them, so that what is kept, and what
  -- is being asked at this moment, counts no more.
  function M.forget()
    generations:incr("now", 1, 0)
    ngx.exit(204)
  end

  return M
end
