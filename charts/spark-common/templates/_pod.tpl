{{/*
Parts of a pod that values give, for any chart's pods.

  spark-common.placement   where a pod runs, as fields of its spec: nodeSelector, tolerations, affinity, schedulerName,
                           runtimeClassName, priorityClassName; call with a map that has some of them
  spark-common.env         a container's variables, a list; call with a map: NAME -> text, or where Kubernetes takes it from.
                           $(NAME) in a text is not expanded
  spark-common.containers  the user's containers, a list, each restricted unless it says otherwise; call with a dict: list
                           and, for sidecars, restartPolicy
  spark-common.spread      topologySpreadConstraints, a list; one that selects no pods gets the labels of the pod; call with a
                           dict: list, labels (YAML)
*/}}

{{- define "spark-common.placement" -}}
{{- $place := pick . "nodeSelector" "tolerations" "affinity" "schedulerName" "runtimeClassName" "priorityClassName" -}}
{{- range $key, $value := $place }}
{{- if $value }}
{{ dict $key $value | toYaml }}
{{- end }}
{{- end }}
{{- end }}

{{- define "spark-common.env" -}}
{{- range $name, $value := . }}
- name: {{ $name | quote }}
  {{- if kindIs "map" $value }}
  valueFrom: {{ toYaml $value | nindent 4 }}
  {{- else }}
  value: {{ include "spark-common.text" $value | replace "$" "$$" | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "spark-common.containers" -}}
{{- range .list }}
{{- $container := dict "securityContext" (include "spark-common.containerSecurityContext" $ | fromYaml) }}
{{- include "spark-common.overlay" (dict "base" $container "extra" .) }}
{{- with $.restartPolicy }}
{{- $_ := set $container "restartPolicy" . }}
{{- end }}
{{ list $container | toYaml }}
{{- end }}
{{- end }}

{{- define "spark-common.spread" -}}
{{- range .list }}
{{ list . | toYaml }}
{{- if not (hasKey . "labelSelector") }}
  labelSelector:
    matchLabels:
      {{- $.labels | nindent 6 }}
{{- end }}
{{- end }}
{{- end }}
