{{/*
Spark's side of a run: its configuration and command line. Each is called with the root unless said otherwise.

  spark-job.properties            the properties file
  spark-job.applicationArguments  main class, file and arguments, as container arguments
*/}}

{{- define "spark-job.overheadFactor" -}}
{{- eq (include "spark-job.isPython" .) "true" | ternary "0.4" "0.1" -}}
{{- end }}

{{/* In cluster mode Kubernetes makes one dollar sign of two twice: in the submitting pod, and in the driver's. A jar is no word there. */}}
{{- define "spark-job.applicationArguments" -}}
{{- $dollar := eq .Values.mode "cluster" | ternary "$$$$" "$$" -}}
{{- with .Values.app.mainClass -}}
- --class
- {{ . | replace "$" $dollar | quote }}
{{ end -}}
- {{ .Values.app.file | default "local:///opt/kindling/app.py" | replace "$" (eq (include "spark-job.isPython" .) "true" | ternary $dollar "$$") | quote }}
{{- range .Values.app.args }}
- {{ include "spark-common.text" . | replace "$" $dollar | quote }}
{{- end }}
{{- end }}

{{- define "spark-job.properties" -}}
{{- include "spark-common.properties" (list
  (include "spark-job.defaultConf" . | fromYaml)
  .Values.global.sparkConf
  .Values.sparkConf
  (include "spark-job.ownConf" . | fromYaml)) -}}
{{- end }}

{{/* What sparkConf may change. */}}
{{- define "spark-job.defaultConf" -}}
{{ include "spark-common.driverDefaults" (dict "root" . "factor" (include "spark-job.overheadFactor" .)) }}
# Client mode has no Service; that of cluster mode goes with its owner, the driver's pod.
spark.kubernetes.driver.service.deleteOnTermination: false
{{- if and (eq .Values.mode "cluster") (semverCompare "<1.30-0" .Capabilities.KubeVersion.Version) }}
# Without a guard on what a policy opens, spark-namespace gives nobody who submits the right to make one; Spark before 4.2
# makes none and does not know the setting.
spark.kubernetes.driver.pod.excludedFeatureSteps: org.apache.spark.deploy.k8s.features.NetworkPolicyFeatureStep
{{- end }}
{{- end }}

{{- define "spark-job.ownConf" -}}
spark.app.name: {{ include "spark-job.appName" . | quote }}
{{ include "spark-common.driverConf" . }}
{{ include "spark-job.dependencyConf" . }}
{{ include "spark-job.modeConf" . }}
{{- end }}

{{/* Any text; a long one is cut in cluster mode, where Spark makes object names of it. */}}
{{- define "spark-job.appName" -}}
{{- $name := .Values.app.name | default .Release.Name -}}
{{- eq .Values.mode "cluster" | ternary (regexFindAll "(?s)." $name 180 | join "") $name -}}
{{- end }}

{{- define "spark-job.modeConf" -}}
{{- if eq .Values.mode "cluster" -}}
{{- $driver := .Values.driver -}}
# What makes the driver; spark-submit gives the driver that of its own, the cluster's or the one below.
spark.master: k8s://https://kubernetes.default.svc
{{- if include "spark-common.runsAlone" . }}
spark.kubernetes.driver.master: {{ include "spark-common.localMaster" . | quote }}
{{- end }}
{{- $own := dict "root" . "role" "driver" }}
{{- if include "spark-common.hasOwnImage" $own }}
spark.kubernetes.driver.container.image: {{ include "spark-common.roleImage" $own | quote }}
{{- end }}
spark.kubernetes.submission.waitAppCompletion: false
spark.kubernetes.authenticate.driver.serviceAccountName: {{ include "spark-common.driverAccount" . | quote }}
spark.kubernetes.driver.podTemplateContainerName: driver
spark.kubernetes.driver.request.cores: {{ include "spark-common.cores" $driver | quote }}
{{- with $driver.limitCores }}
spark.kubernetes.driver.limit.cores: {{ include "spark-common.text" . | quote }}
{{- end }}
{{- with $driver.memoryOverhead }}
spark.driver.memoryOverhead: {{ . }}
{{- end }}
{{- include "spark-common.idAnnotations" (dict "annotations" $driver.annotations "role" "driver") }}
{{- else if include "spark-job.isPython" . -}}
{{ include "spark-common.pythonConf" . }}
{{- end -}}
{{- end }}
