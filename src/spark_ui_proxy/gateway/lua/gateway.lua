-- What nginx decides itself: whether a decision of the decider's still counts, and what of an application's answer
-- reaches a browser. Loaded once; `require("gateway")(settings)` returns the handlers that nginx.conf names.
--
-- settings.base: "" or "/spark"; settings.identity: a function, of a request's variables all that says who sends it, in
-- one text; settings.trusted: the headers among it that an ingress sets; settings.asked_at_once: requests from one
-- address that may wait for a decision.
--
-- nginx has one worker, so what is kept and counted are plain Lua tables: for a request whose decision is kept, LuaJIT
-- compiles all that runs here.

local balancer = require "ngx.balancer"
local ffi = require "ffi"
local lrucache = require "resty.lrucache"
local re_find = ngx.re.find

ffi.cdef "unsigned char *SHA256(const unsigned char *d, size_t n, unsigned char *md);"
local digest = ffi.new("unsigned char[32]")

-- So many decisions are kept: of 500 persons, 20 applications each.
local KEPT = 10000

-- A decision is kept only for requests that nobody could read in two ways, and that change nothing. BASE is in it. What
-- the decider refuses whoever asks (paths.py) must not match, nor what it may send elsewhere: /proxy/ below an application.
local BENIGN = [[^(?:GET|HEAD) (?!\S*(?:\.\.|//|/\.|(?i:kill|doas)))]]
  .. [[(BASE/(?:[a-z0-9][a-z0-9-]*/(?:proxy/[A-Za-z0-9._-]+|shs)|shs))/(?!proxy/)[A-Za-z0-9/_.?&=,:+-]{0,4096} HTTP/1\.[01]$]]
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
  local base, trusted = settings.base, settings.trusted
  local benign = BENIGN:gsub("BASE", (base:gsub("[.]", "\\%%.")))
  local decisions, generation = lrucache.new(KEPT), 0
  -- Address -> requests from there that wait for a decision.
  local asking = {}
  local classes = { application = {}, service = {} }
  local buckets, seconds_of_all = {}, 0

  local function refuse(status, reason)
    ngx.var.reason = reason
    return ngx.exit(status)
  end

  -- Lets the request go to the target of a decision.
  local function go(decision, path)
    local var, static, user = ngx.var, starts_with(path, "/static/"), decision.user
    ngx.ctx = decision
    var.target_host = decision.host
    var.target_path = path
    var.context = decision.context
    var.application = decision.application
    var.user = user
    -- The files of one page are many and cheap: they have a count of their own, and none with the application.
    if static then
      var.limit_user = user ~= "" and user .. " static" or ""
    else
      var.limit_user = user
      var.limit_application = decision.application
    end
  end

  -- Whether a header that an ingress sets is there twice: nginx's variables would show the one that came first.
  local function ambiguous()
    local headers = ngx.req.get_headers(0)
    for _, name in ipairs(trusted) do
      if type(headers[name]) == "table" then
        return true
      end
    end
    return false
  end

  -- Where a decision about what begins with `mount` is kept.
  local function key_of(mount)
    local var = ngx.var
    return sha256(generation .. "\n" .. mount .. "\n" .. (var.http_host or "") .. "\n" .. settings.identity(var))
  end

  local function ask(mount, key)
    local var = ngx.var
    local address = var.remote_addr
    local waiting = (asking[address] or 0) + 1
    if waiting > settings.asked_at_once then
      return ngx.exec("@busy")
    end
    asking[address] = waiting
    local answer = ngx.location.capture("/-/internal/authz")
    asking[address] = asking[address] > 1 and asking[address] - 1 or nil
    local header = answer.header
    if answer.status == 401 or answer.status == 403 then
      ngx.req.discard_body()
      var.reason = header["X-Reason"] or ""
      return ngx.exec("@answer")
    end
    local ip, port = (header["X-Upstream"] or ""):match("^([%x.:%[%]]+):(%d+)$")
    local path = header["X-Upstream-Path"] or ""
    if answer.status ~= 200 or not ip or not re_find(path, PATH, "jo") then
      var.reason = "no decision: " .. answer.status
      return ngx.exec("@down")
    end
    local decision = {
      ip = ip, port = tonumber(port), host = ip .. ":" .. port, context = header["X-Context"] or "",
      application = header["X-Application"] or "", user = header["X-User"] or "",
    }
    local seconds = tonumber(header["X-Decision-Seconds"]) or 0
    -- Kept for the whole mount: only if this answer is what the next one will be made of.
    if key and seconds > 0 and decision.context == mount and mount .. path == var.request_uri then
      decisions:set(key, decision, seconds)
    end
    return go(decision, path)
  end

  -- A request about which nothing is kept.
  local function decide_anew(mount, key)
    local var = ngx.var
    local path = var.raw_path
    if not re_find(var.request, "^[A-Z]+ /.* HTTP/1", "jo") then
      return refuse(400, "request line")
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
    if method == "GET" or method == "HEAD" then
      -- No page sends one. Of a body that comes late nginx would pass on the length alone: the target would take the next
      -- request of the connection, somebody else's, for it.
      if var.http_transfer_encoding or (var.http_content_length or "0") ~= "0" then
        return refuse(400, "body")
      end
    elseif method ~= "POST" then
      -- Only a POST may pass with its body, which is read once it is decided that it may.
      ngx.req.discard_body()
    end
    var.decision = "asked"
    return ask(mount, key)
  end

  -- rewrite: may this request pass, and where to?
  function M.decide()
    local var = ngx.var
    if var.http_upgrade then
      return refuse(400, "upgrade")
    end
    if var.http_service_worker then
      return refuse(403, "service worker")
    end
    if #trusted > 0 and ambiguous() then
      return refuse(400, "ambiguous identity")
    end
    local request = var.request
    local from, to = re_find(request, benign, "jo", nil, 1)
    if not from or var.http_content_length or var.http_transfer_encoding then
      return decide_anew()
    end
    local mount = request:sub(from, to)
    local key = key_of(mount)
    local decision = decisions:get(key)
    if not decision then
      return decide_anew(mount, key)
    end
    var.decision = "kept"
    return go(decision, request:sub(to + 1, -#" HTTP/1.1" - 1))
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
    local cacheable = status == 200 and starts_with(ngx.var.target_path, "/static/")
    header["Cache-Control"] = cacheable and "private, max-age=3600" or "no-cache, no-store, must-revalidate"
  end

  -- content: an application's redirect, as a path below its prefix.
  function M.redirect()
    local var = ngx.var
    local context, location = var.context, var.upstream_http_location or ""
    local origin = "http://" .. var.target_host
    -- Spark sends everybody there who asks its UI without TLS, if it has a key.
    if starts_with(location, "https://" .. var.target_host:match("^(.*:)%d+$")) then
      return ngx.exec("@https")
    end
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
    local by, class = by_application and classes.application or classes.service, math.floor(ngx.status / 100)
    by[class] = (by[class] or 0) + 1
    if by_application then
      local seconds, bucket = tonumber(var.request_time), 1
      while BUCKETS[bucket] and seconds > BUCKETS[bucket] do
        bucket = bucket + 1
      end
      buckets[bucket] = (buckets[bucket] or 0) + 1
      seconds_of_all = seconds_of_all + seconds
    end
  end

  -- content of the control socket: the counts, as Prometheus reads them.
  function M.metrics()
    local name = "spark_ui_proxy_requests_total"
    ngx.say("# HELP ", name, " Requests at nginx, by who answers.\n# TYPE ", name, " counter")
    for by, counts in pairs(classes) do
      for class, count in pairs(counts) do
        ngx.say(name, '{by="', by, '",status="', class, 'xx"} ', count)
      end
    end
    name = "spark_ui_proxy_request_seconds"
    ngx.say("# HELP ", name, " Of requests that applications answer.\n# TYPE ", name, " histogram")
    local total = 0
    for number = 1, #BUCKETS + 1 do
      total = total + (buckets[number] or 0)
      ngx.say(name, '_bucket{le="', BUCKETS[number] or "+Inf", '"} ', total)
    end
    ngx.say(name, "_sum ", seconds_of_all, "\n", name, "_count ", total)
  end

  -- content of the control socket: a target is gone. Keys have the generation in them, so that what is being asked at
  -- this moment counts no more either.
  function M.forget()
    generation = generation + 1
    decisions:flush_all()
    ngx.exit(204)
  end

  return M
end
