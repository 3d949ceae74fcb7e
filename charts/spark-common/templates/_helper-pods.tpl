{{/*
What the charts themselves run beside Spark, as global.helpers shapes it: the submitting pod, the pods of helm test and, of
init containers, the CPU limit alone. Call with global.helpers unless said otherwise.

  spark-common.helperCpuLimit   the CPU limit of a container, as a line, or nothing; call with a map that has limitCores
  spark-common.testMetadata     labels and annotations of a pod of helm test; call with the root
  spark-common.checkHelpers     refuses labels and annotations that the charts or helm set, and a CPU limit below 50m
*/}}

{{- define "spark-common.helperCpuLimit" -}}
{{- with .limitCores -}}
cpu: {{ include "spark-common.text" . | quote }}
{{- end -}}
{{- end }}

{{- define "spark-common.testMetadata" -}}
labels:
  {{- include "spark-common.labels" (dict "root" . "component" "test" "extra" .Values.global.helpers.labels) | nindent 2 }}
annotations:
  helm.sh/hook: test
  # Of no release, as far as helm is concerned: one that stayed would outlive it. What it printed, helm prints.
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
  helm.sh/hook-output-log-policy: hook-succeeded,hook-failed
  {{- with .Values.global.helpers.annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "spark-common.checkHelpers" -}}
{{- include "spark-common.checkLabels" (dict "labels" .labels "from" "global.helpers.labels") -}}
{{- include "spark-common.checkAnnotations" (dict "annotations" .annotations "from" "global.helpers.annotations") -}}
{{- $limit := .limitCores | include "spark-common.text" -}}
{{- if $limit -}}
{{- if lt (include "spark-common.millicores" $limit | int64) 50 -}}
{{- fail (printf "global.helpers.limitCores is %q, and the charts' helpers ask for 50m: raise it, or leave it empty" $limit) -}}
{{- end -}}
{{- end -}}
{{- end }}
