{{/*
spark-history-server.checks: values that cannot go together, each refused in one line that says what to do; call with the
root.
*/}}
{{- define "spark-history-server.checks" -}}
{{- include "spark-common.checkText" .Values -}}
{{- include "spark-common.checkServiceName" . -}}
{{- $log := .Values.global.eventLog -}}
{{- if not $log.store -}}
{{- fail "global.eventLog.store is empty, and there are no event logs to show: set it in the namespace's common values, which its jobs follow too" -}}
{{- end -}}
{{- include "spark-common.checkEventLog" (dict "eventLog" $log "confs" (list .Values.sparkConf) "from" (list "sparkConf")) -}}
{{- include "spark-common.checkPeers" (dict "peers" .Values.network.from "from" "network.from") -}}
{{- if lt (include "spark-common.mebibytes" .Values.memory | int) 512 -}}
{{- fail (printf "memory is %q, and the server needs 512m at least" .Values.memory) -}}
{{- end -}}
{{- if lt (include "spark-common.mebibytes" .Values.state.size | int) 512 -}}
{{- fail (printf "state.size is %q, and the server needs 512Mi at least" .Values.state.size) -}}
{{- end -}}
{{- $owned := include "spark-history-server.ownConf" . | fromYaml -}}
{{- range $key := keys .Values.sparkConf | sortAlpha -}}
{{- if regexMatch "[\\s:=]" $key -}}
{{- fail (printf "sparkConf has the key %q, and a key of Spark's configuration has no space, colon or equals sign: write each key whole" $key) -}}
{{- end -}}
{{- if and (hasKey $owned $key) (ne $key "spark.ui.filters") -}}
{{- fail (printf "sparkConf sets %s, which the chart sets itself: use its own value" $key) -}}
{{- end -}}
{{- if regexMatch "JWSFilter\\.param\\.secretKey$" $key -}}
{{- fail (printf "sparkConf sets %s, and a secret never stands in values: put it into a Secret, and set auth.mode to jws and auth.jws.secret.name to its name" $key) -}}
{{- end -}}
{{- end -}}
{{- with .Values.auth -}}
{{- if and (eq .mode "jws") (not .jws.secret.name) -}}
{{- fail "auth.mode is jws but auth.jws.secret.name is empty: set it to the Secret with the key that tokens are signed with" -}}
{{- end -}}
{{- if eq .mode "proxy" -}}
{{- $ports := list -}}
{{- range $.Values.sidecars -}}
{{- range .ports -}}
{{- $ports = append $ports (int .containerPort) -}}
{{- end -}}
{{- end -}}
{{- if not (has (int .proxy.port) $ports) -}}
{{- fail (printf "auth.mode is proxy but no container of sidecars has auth.proxy.port, %d, among its ports: give the authenticating proxy there" (int .proxy.port)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.ingress -}}
{{- if and .enabled (not .host) -}}
{{- fail "ingress.enabled is true but ingress.host is empty: set it to the server's host" -}}
{{- end -}}
{{- end -}}
{{- $names := list "history-server" "event-log-trust" "log-folder" -}}
{{- range .Values.sidecars -}}
{{- if has .name $names -}}
{{- fail (printf "sidecars has a container named %q, and there is one of that name already: give it another" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- range $key := keys .Values.labels | sortAlpha -}}
{{- if or (eq $key "spark-role") (hasKey (include "spark-common.podLabels" (dict "root" $ "component" "server") | fromYaml) $key) -}}
{{- fail (printf "labels sets %s, which the chart sets itself: take another key" $key) -}}
{{- end -}}
{{- end -}}
{{- if hasKey .Values.annotations "checksum/config" -}}
{{- fail "annotations sets checksum/config, which the chart sets itself: take another key" -}}
{{- end -}}
{{- end }}
