{{/*
spark-history-server.checks: values that cannot go together, each refused in one line that says what to do; call with the
root.
*/}}
{{- define "spark-history-server.checks" -}}
{{- /* Each template asks, because helm may render any of them first; their root is one and the same. */ -}}
{{- if not (hasKey . "kindlingChecked") -}}
{{- $_ := set . "kindlingChecked" true -}}
{{- include "spark-common.checkForms" . -}}
{{- include "spark-common.checkDenied" . -}}
{{- include "spark-common.checkText" .Values -}}
{{- include "spark-common.checkServiceName" . -}}
{{- $log := .Values.global.eventLog -}}
{{- if not $log.store -}}
{{- fail "global.eventLog.store is empty, and there are no event logs to show: set it in the namespace's common values, which its jobs follow too" -}}
{{- end -}}
{{- $confs := list .Values.global.sparkConf .Values.sparkConf -}}
{{- $from := list "global.sparkConf" "sparkConf" -}}
{{- include "spark-common.checkEventLog" (dict "eventLog" $log "global" .Values.global "confs" $confs "from" $from) -}}
{{- include "spark-common.checkHadoop" (dict "global" .Values.global "confs" $confs "from" $from) -}}
{{- range .Values.moreFolders -}}
{{- if eq $log.store "claim" -}}
{{- fail (printf "moreFolders has %q and the store is claim, which has one folder: leave it empty" .) -}}
{{- end -}}
{{- include "spark-common.checkFolder" (dict "url" . "store" $log.store "from" "moreFolders") -}}
{{- end -}}
{{- range $number, $conf := $confs -}}
{{- include "spark-common.checkKeys" (dict "conf" $conf "from" (index $from $number)) -}}
{{- include "spark-common.checkSecrets" (dict "conf" $conf "from" (index $from $number)) -}}
{{- end -}}
{{- include "spark-common.checkPeers" (dict "peers" .Values.network.from "from" "network.from") -}}
{{- if lt (include "spark-common.mebibytes" .Values.memory | int) 512 -}}
{{- fail (printf "memory is %q, and the server needs 512m at least" .Values.memory) -}}
{{- end -}}
{{- if lt (include "spark-common.mebibytes" .Values.state.size | int) 512 -}}
{{- fail (printf "state.size is %q, and the server needs 512Mi at least" .Values.state.size) -}}
{{- end -}}
{{- include "spark-common.checkNumbers" (dict "values" .Values.env "from" "env:") -}}
{{- include "spark-common.checkHelpers" .Values.global.helpers -}}
{{- include "spark-common.checkLabels" (dict "labels" .Values.global.commonLabels "from" "global.commonLabels") -}}
{{- include "spark-common.checkBackend" (dict "conf" .Values.sparkConf "from" "sparkConf" "what" "a history server") -}}
{{- $owned := include "spark-history-server.ownConf" . | fromYaml -}}
{{- $instead := dict
  "spark.history.fs.logDirectory" "global.eventLog and moreFolders"
  "spark.history.fs.update.interval" "updateInterval"
  "spark.history.ui.port" (include "spark-common.port" "history" | printf "nothing: it is %s, which the Service leads to")
  "spark.history.retainedApplications" "retainedApplications"
  "spark.history.store.path" "nothing: it is on the volume that state sets"
  "spark.history.store.maxDiskUsage" "state.size"
  "spark.history.store.serializer" "nothing: this one reads the most applications in a second"
  "spark.history.store.hybridStore.enabled" "nothing: without, the server answers a large application too late"
  "spark.history.store.hybridStore.diskBackend" "nothing: it is the one that Spark goes on with"
  "spark.history.store.hybridStore.maxMemoryUsage" "memory"
  "spark.history.fs.cleaner.enabled" "cleaner.enabled"
  "spark.history.fs.cleaner.interval" "cleaner.interval"
  "spark.history.fs.cleaner.maxAge" "cleaner.maxAge"
  "spark.history.fs.cleaner.maxNum" "cleaner.maxApplications"
  "spark.history.fs.eventLog.rolling.maxFilesToRetain" "compactionFiles"
  "spark.eventLog.compress" "nothing: with compactionFiles it is as the drivers have it"
  "spark.eventLog.compression.codec" "nothing: with compactionFiles it is as the drivers have it"
  "spark.ui.proxyBase" "ingress.path"
  "spark.history.kerberos.enabled" "global.eventLog.hdfs.principal"
  "spark.history.kerberos.principal" "global.eventLog.hdfs.principal"
  "spark.history.kerberos.keytab" "global.eventLog.secret"
-}}
{{- range $key := keys .Values.sparkConf | sortAlpha -}}
{{- if and (hasKey $owned $key) (ne $key "spark.ui.filters") -}}
{{- fail (printf "sparkConf sets %s, which the chart sets itself; %s" $key (get $instead $key | include "spark-common.instead")) -}}
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
{{- include "spark-common.checkLabels" (dict "labels" .Values.labels "from" "labels") -}}
{{- include "spark-common.checkAnnotations" (dict "annotations" .Values.service.annotations "from" "service.annotations") -}}
{{- include "spark-common.checkAnnotations" (dict "annotations" .Values.ingress.annotations "from" "ingress.annotations") -}}
{{- if hasKey .Values.annotations "checksum/config" -}}
{{- fail "annotations sets checksum/config, which the chart sets itself: take another key" -}}
{{- end -}}
{{- include "spark-common.checkLabels" (dict "labels" ((.Values.podTemplate.metadata).labels | default dict) "from" "podTemplate") -}}
{{- include "spark-common.checkPodTemplate" (dict
  "template" .Values.podTemplate
  "from" "podTemplate"
  "names" (list "history-server")
  "spec" (dict
    "serviceAccountName" "global.serviceAccounts.history"
    "serviceAccount" "global.serviceAccounts.history"
    "automountServiceAccountToken" "nothing: the server has no token"
    "restartPolicy" "nothing: a server is always started again")
  "container" (dict
    "image" "image"
    "imagePullPolicy" "image.pullPolicy"
    "command" "nothing: the container runs the history server"
    "args" "sparkConf"
    "resources" "memory, requestCores and limitCores")) -}}
{{- end -}}
{{- end }}
