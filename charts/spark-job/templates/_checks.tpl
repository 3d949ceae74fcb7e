{{/*
spark-job.checks: values that cannot go together, each refused in one line that says what to do. Call with the root.
*/}}
{{- define "spark-job.checks" -}}
{{- $app := .Values.app -}}
{{- if and (not $app.file) (not $app.source) -}}
{{- fail "app.file and app.source are both empty: set app.file to where the application is, or give a Python file with --set-file app.source=job.py" -}}
{{- end -}}
{{- if and $app.file $app.source -}}
{{- fail (printf "app.file is %q and app.source is set too: give one of them" $app.file) -}}
{{- end -}}
{{- if and $app.source $app.mainClass -}}
{{- fail (printf "app.mainClass is %q but app.source is Python: leave app.mainClass empty, or put the jar's place in app.file" $app.mainClass) -}}
{{- end -}}
{{- if gt (len $app.source) 1000000 -}}
{{- fail (printf "app.source has %d bytes, and a ConfigMap holds 1000000: put the file where Spark can fetch it and set app.file" (len $app.source)) -}}
{{- end -}}
{{- if and $app.file (not $app.mainClass) (not (hasSuffix ".py" $app.file)) (not (hasSuffix ".jar" $app.file)) -}}
{{- fail (printf "app.file is %q, neither a .py nor a .jar file: set app.mainClass if it is a Java or Scala application" $app.file) -}}
{{- end -}}
{{- include "spark-job.checkConf" (dict "conf" .Values.sparkConf "from" "sparkConf") -}}
{{- include "spark-job.checkConf" (dict "conf" .Values.global.sparkConf "from" "global.sparkConf") -}}
{{- range $role := list "driver" "executor" -}}
{{- $memory := (get $.Values $role).memory -}}
{{- if lt (include "spark-common.mebibytes" $memory | int) 450 -}}
{{- fail (printf "%s.memory is %q, and Spark needs 450m at least" $role $memory) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
spark-job.checkConf: refuses configuration that the chart sets itself; call with a dict: conf, from (its name in values).
*/}}
{{- define "spark-job.checkConf" -}}
{{- $owned := dict
  "spark.master" "nothing: the cluster of the release"
  "spark.submit.deployMode" "nothing: the Job's pod is the driver"
  "spark.app.id" "nothing: it follows from the pod"
  "spark.app.name" "the release's name"
  "spark.driver.host" "nothing: the pod's address"
  "spark.driver.bindAddress" "nothing: the pod's address"
  "spark.driver.port" "nothing: 7078"
  "spark.driver.blockManager.port" "nothing: 7079"
  "spark.blockManager.port" "nothing: 7079"
  "spark.driver.memory" "driver.memory"
  "spark.driver.cores" "driver.cores"
  "spark.executor.instances" "executor.instances"
  "spark.executor.memory" "executor.memory"
  "spark.executor.cores" "executor.cores"
  "spark.kubernetes.driver.pod.name" "nothing: the pod's name"
  "spark.kubernetes.namespace" "helm's --namespace"
  "spark.kubernetes.container.image" "image"
  "spark.kubernetes.driver.container.image" "image"
  "spark.kubernetes.executor.container.image" "image"
  "spark.kubernetes.container.image.pullPolicy" "image.pullPolicy"
  "spark.kubernetes.executor.request.cores" "executor.requestCores"
  "spark.kubernetes.executor.limit.cores" "executor.limitCores"
  "spark.kubernetes.executor.podNamePrefix" "nothing: the driver pod's name"
  "spark.kubernetes.executor.podTemplateFile" "nothing: the chart makes it"
  "spark.kubernetes.executor.podTemplateContainerName" "nothing: the chart makes it"
  "spark.kubernetes.authenticate.driver.serviceAccountName" "global.serviceAccounts.driver"
  "spark.kubernetes.authenticate.executor.serviceAccountName" "global.serviceAccounts.executor"
  "spark.kubernetes.authenticate.oauthToken" "nothing: the pod's own token, renewed as it expires"
  "spark.kubernetes.authenticate.oauthTokenFile" "nothing: the pod's own token, renewed as it expires"
-}}
{{- range $key := keys .conf | sortAlpha -}}
{{- if hasKey $owned $key -}}
{{- fail (printf "%s sets %s, which the chart sets itself; use instead: %s" $.from $key (get $owned $key)) -}}
{{- end -}}
{{- end -}}
{{- end }}
