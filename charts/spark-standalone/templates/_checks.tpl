{{/*
spark-standalone.checks: values that cannot go together, each refused in one line that says what to do; call with the root.
*/}}
{{- define "spark-standalone.checks" -}}
{{- /* Each template asks, because helm may render any of them first; their root is one and the same. */ -}}
{{- if not (hasKey . "kindlingChecked") -}}
{{- $_ := set . "kindlingChecked" true -}}
{{- include "spark-common.checkForms" . -}}
{{- include "spark-common.checkDenied" . -}}
{{- include "spark-common.checkText" .Values -}}
{{- include "spark-common.checkServiceName" . -}}
{{- $log := .Values.global.eventLog -}}
{{- if eq $log.store "hdfs" -}}
{{- fail "global.eventLog.store is hdfs, and executors of a standalone cluster get no tokens of Kerberos: take another store, or spark-job instead of this chart" -}}
{{- end -}}
{{- include "spark-common.checkEventLog" (dict "eventLog" $log "global" .Values.global "confs" (list .Values.client.sparkConf) "from" (list "client.sparkConf")) -}}
{{- include "spark-common.checkPeers" (dict "peers" .Values.network.from "from" "network.from") -}}
{{- include "spark-common.checkHelpers" .Values.global.helpers -}}
{{- include "spark-common.checkLabels" (dict "labels" .Values.global.commonLabels "from" "global.commonLabels") -}}
{{- range $role, $least := dict "master" 512 "worker" 1200 "client" 512 -}}
{{- $memory := (get $.Values $role).memory -}}
{{- if lt (include "spark-common.mebibytes" $memory | int) $least -}}
{{- fail (printf "%s.memory is %q, and %dm is the least with which it runs" $role $memory $least) -}}
{{- end -}}
{{- end -}}
{{- range $role := list "master" "worker" "client" -}}
{{- $values := get $.Values $role -}}
{{- $asked := include "spark-common.text" $values.requestCores -}}
{{- with include "spark-common.text" $values.limitCores -}}
{{- if gt (include "spark-common.millicores" $asked | int64) (include "spark-common.millicores" . | int64) -}}
{{- fail (printf "%s.limitCores is %q, less than %s.requestCores, %q: raise it, or lower that" $role . $role $asked) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range .Values.volumes -}}
{{- if or .roles .onDemand -}}
{{- fail (printf "volumes: %s has %s, which a standalone cluster has not: %s" .name (ternary "roles" "onDemand" (hasKey . "roles")) (ternary "leave it out, workers and drivers mount each" "take persistentVolumeClaim or ephemeral" (hasKey . "roles"))) -}}
{{- end -}}
{{- end -}}
{{- $autoscaling := .Values.worker.autoscaling -}}
{{- if and $autoscaling.enabled (gt (int $autoscaling.minReplicas) (int $autoscaling.maxReplicas)) -}}
{{- fail (printf "worker.autoscaling.minReplicas is %d, and maxReplicas is %d: raise the one or lower the other" (int $autoscaling.minReplicas) (int $autoscaling.maxReplicas)) -}}
{{- end -}}
{{- include "spark-common.checkKeys" (dict "conf" .Values.global.sparkConf "from" "global.sparkConf") -}}
{{- include "spark-common.checkSecrets" (dict "conf" .Values.global.sparkConf "from" "global.sparkConf") -}}
{{- include "spark-standalone.checkConf" (dict "conf" .Values.sparkConf "from" "sparkConf" "owned" (include "spark-standalone.clusterConf" . | fromYaml)) -}}
{{- include "spark-standalone.checkConf" (dict "conf" .Values.client.sparkConf "from" "client.sparkConf" "owned" (include "spark-standalone.clientConf" . | fromYaml)) -}}
{{- range $role, $container := dict "master" "master" "worker" "worker" "client" "driver" -}}
{{- $template := (get $.Values $role).podTemplate -}}
{{- $from := printf "%s.podTemplate" $role -}}
{{- include "spark-common.checkLabels" (dict "labels" (($template.metadata).labels | default dict) "from" $from) -}}
{{- include "spark-common.checkPodTemplate" (dict
  "template" $template
  "from" $from
  "names" (list $container)
  "spec" (dict
    "serviceAccountName" "global.serviceAccounts.executor"
    "serviceAccount" "global.serviceAccounts.executor"
    "automountServiceAccountToken" "nothing: no pod of the cluster has a token"
    "restartPolicy" "nothing: masters and workers are always started again, and the pod of a client never"
    "terminationGracePeriodSeconds" "worker.gracePeriodSeconds, of workers")
  "container" (dict
    "image" "image"
    "imagePullPolicy" "image.pullPolicy"
    "command" "nothing: the container runs Spark's own program"
    "args" "sparkConf or client.sparkConf"
    "lifecycle" "nothing: by it workers leave gracefully"
    "resources" (printf "memory, requestCores and limitCores of %s" $role))) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Spark configuration that the chart sets itself, that Spark would not read, or that holds a secret; call with a dict: conf,
from, owned. */}}
{{- define "spark-standalone.checkConf" -}}
{{- include "spark-common.checkKeys" (dict "conf" .conf "from" .from) -}}
{{- include "spark-common.checkBackend" (dict "conf" .conf "from" .from "what" "a standalone cluster") -}}
{{- $owned := .owned -}}
{{- range $key := keys .conf | sortAlpha -}}
{{- if hasPrefix "spark.authenticate" $key -}}
{{- fail (printf "%s sets %s, and the cluster's authentication is not for values: auth.secret names the Secret" $.from $key) -}}
{{- end -}}
{{- if and (hasKey $owned $key) (ne $key "spark.executor.memory") -}}
{{- fail (printf "%s sets %s, which the chart sets itself to %v: leave it out" $.from $key (get $owned $key)) -}}
{{- end -}}
{{- end -}}
{{- include "spark-common.checkSecrets" (dict "conf" .conf "from" .from) -}}
{{- end }}
