{{/*
Quotas and limits.

  spark-namespace.resourceQuota   a ResourceQuota; call with a dict: root, name, hard, perhaps operator and classes: priority classes
                                  of the pods that it counts
  spark-namespace.quantities      a map of quantities as Kubernetes writes them; call with the map
  spark-namespace.checkQuota      refuses quotas that refuse pods for what they do not say, or let drivers take the place of
                                  executors, and limits that contradict each other; call with the root
  spark-namespace.amount          a quantity as a number, to compare; call with the quantity
  spark-namespace.alias           the one name of a resource that has two: "cpu" is "requests.cpu"; call with the name
*/}}

{{- define "spark-namespace.resourceQuota" -}}
apiVersion: v1
kind: ResourceQuota
metadata:
  name: {{ .name }}
  namespace: {{ include "spark-namespace.name" .root | quote }}
  labels:
    {{- include "spark-common.labels" (dict "root" .root "component" "quota") | nindent 4 }}
spec:
  hard:
    {{- include "spark-namespace.quantities" .hard | trim | nindent 4 }}
  {{- with .classes }}
  scopeSelector:
    matchExpressions:
      - scopeName: PriorityClass
        operator: {{ $.operator }}
        values: {{ toJson . }}
  {{- end }}
{{- end }}

{{- define "spark-namespace.quantities" -}}
{{- range $name, $quantity := . }}
{{ $name }}: {{ include "spark-common.text" $quantity | quote }}
{{- end }}
{{- end }}

{{- define "spark-namespace.amount" -}}
{{- $text := include "spark-common.text" . -}}
{{- $sizes := dict "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $unit := regexFind "[a-zA-Z]+$" $text -}}
{{- mulf (trimSuffix $unit $text | float64) (get $sizes $unit | default 1) -}}
{{- end }}

{{- define "spark-namespace.alias" -}}
{{- has . (list "cpu" "memory") | ternary (printf "requests.%s" .) . -}}
{{- end }}

{{- define "spark-namespace.checkQuota" -}}
{{- $quota := .Values.quota -}}
{{- $limits := .Values.limits -}}
{{- $classes := .Values.global.priorityClasses -}}
{{- range $part, $class := dict "drivers" "executor" "submitters" "submitter" -}}
{{- if and (get $quota $part) (not (get $classes $class)) -}}
{{- fail (printf "quota.%s is set but global.priorityClasses.%s is empty: name the priority class of the %ss, here and for spark-job" $part $class $class) -}}
{{- end -}}
{{- end -}}
{{- if and $quota.drivers $classes.submitter (not $quota.submitters) -}}
{{- fail "quota.drivers and global.priorityClasses.submitter are set but quota.submitters is empty: give submitters a part too, or they take that of executors" -}}
{{- end -}}
{{- range $part := list "hard" "drivers" "submitters" -}}
{{- range $name := keys (get $quota $part) | sortAlpha -}}
{{- $kind := splitList "." (include "spark-namespace.alias" $name) | first -}}
{{- $resource := splitList "." $name | last -}}
{{- $given := or (hasKey $limits.default $resource) (hasKey $limits.max $resource) (and (eq $kind "requests") (hasKey $limits.defaultRequest $resource)) -}}
{{- if and (has $resource (list "cpu" "memory")) (not $given) -}}
{{- fail (printf "quota.%s has %s, by which pods that name none are refused: set limits.%s.%s" $part $name (eq $kind "requests" | ternary "defaultRequest" "default") $resource) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $quota.drivers -}}
{{- range $name, $all := $quota.hard -}}
{{- if has $name (list "pods" "cpu" "memory" "requests.cpu" "requests.memory" "limits.cpu" "limits.memory") -}}
{{- $parts := 0 -}}
{{- range $part := list "drivers" "submitters" -}}
{{- $found := dict -}}
{{- range $own, $quantity := get $quota $part -}}
{{- $_ := set $found (include "spark-namespace.alias" $own) $quantity -}}
{{- end -}}
{{- $alias := include "spark-namespace.alias" $name -}}
{{- if hasKey $found $alias -}}
{{- $parts = addf $parts (include "spark-namespace.amount" (get $found $alias) | float64) -}}
{{- else if get $quota $part -}}
{{- fail (printf "quota.hard has %s and quota.%s has not: they could take it all from executors; set quota.%s to a part of it" $name $part $part) -}}
{{- end -}}
{{- end -}}
{{- if ge $parts (include "spark-namespace.amount" $all | float64) -}}
{{- fail (printf "quota.drivers and quota.submitters leave nothing of %s to executors, of the %s in quota.hard: raise it there, or give them less" $name (include "spark-common.text" $all)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $resource := list "cpu" "memory" -}}
{{- $low := "" -}}
{{- range $key := list "min" "defaultRequest" "default" "max" -}}
{{- $values := get $limits $key -}}
{{- if hasKey $values $resource -}}
{{- $now := get $values $resource -}}
{{- if and $low (lt (include "spark-namespace.amount" $now | float64) (include "spark-namespace.amount" (get (get $limits $low) $resource) | float64)) -}}
{{- fail (printf "limits.%s.%s is %s, less than limits.%s.%s: raise it, or lower that" $key $resource (include "spark-common.text" $now) $low $resource) -}}
{{- end -}}
{{- $low = $key -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
