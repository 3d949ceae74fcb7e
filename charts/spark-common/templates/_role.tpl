{{/*
What driver and executors of any chart have in common, as the sections .Values.driver and .Values.executor say it.

  spark-common.cores            CPU to ask of the cluster; call with the section
  spark-common.setting          one setting of sparkConf or global.sparkConf, or nothing; call with a dict: root, key
  spark-common.containerMemory  memory of the container of a JVM in MiB; call with a dict: root, role, factor (the overhead, where no
                                setting says it)
  spark-common.rolePlace        where and as whom the role's pod runs, part of a spec; call with a dict: root, role
  spark-common.roleInit         init containers and sidecars, in a list; call with a dict: root, role, outside (as
                                spark-common.outsideEnv takes it)
  spark-common.mergeRole        the podTemplate of a role merged into its pod, by spark-common.mergePod; call with a dict: root, role,
                                pod (its YAML), others (a list of what else has a volume's name and mountPath in the pod)
*/}}

{{- define "spark-common.cores" -}}
{{- .requestCores | default .cores | include "spark-common.text" -}}
{{- end }}

{{- define "spark-common.setting" -}}
{{- include "spark-common.conf" (dict "confs" (list .root.Values.global.sparkConf .root.Values.sparkConf) "key" .key) -}}
{{- end }}

{{/* Spark's own rule: a tenth on top, two fifths where Python runs beside the JVM, and 384 MiB at least, unless sparkConf says so. */}}
{{- define "spark-common.containerMemory" -}}
{{- $values := get .root.Values .role -}}
{{- $heap := include "spark-common.mebibytes" $values.memory | int -}}
{{- $factor := include "spark-common.setting" (dict "root" .root "key" (printf "spark.%s.memoryOverheadFactor" .role)) | default .factor | float64 -}}
{{- $least := include "spark-common.setting" (dict "root" .root "key" (printf "spark.%s.minMemoryOverhead" .role)) | default "384m" -}}
{{- with include "spark-common.sparkVersion" . -}}
{{- if semverCompare "<4.0.0-0" . -}}
{{- /* It does not know the setting. */ -}}
{{- $least = "384m" -}}
{{- end -}}
{{- end -}}
{{- $overhead := max (include "spark-common.mebibytes" $least | int) (mulf $heap $factor | int) -}}
{{- with $values.memoryOverhead -}}
{{- $overhead = include "spark-common.mebibytes" . | int -}}
{{- end -}}
{{- add $heap $overhead -}}
{{- end }}

{{- define "spark-common.rolePlace" -}}
{{- $root := .root -}}
{{- $values := get .root.Values .role -}}
enableServiceLinks: false
securityContext:
  {{- include "spark-common.podSecurityContext" $root | nindent 2 }}
{{- include "spark-common.pullSecrets" $root.Values.image.pullSecrets | nindent 0 }}
{{- $class := $values.priorityClassName | default (get $root.Values.global.priorityClasses .role) }}
{{- include "spark-common.placement" (merge (dict "priorityClassName" $class) $values) | nindent 0 }}
topologySpreadConstraints:
  {{- include "spark-common.spread" (dict "list" $values.topologySpreadConstraints "labels" (include "spark-common.podLabels" (dict "root" $root "component" .role))) | nindent 2 }}
{{- if not (kindIs "invalid" $values.terminationGracePeriodSeconds) }}
terminationGracePeriodSeconds: {{ int64 $values.terminationGracePeriodSeconds }}
{{- end }}
{{- end }}

{{- define "spark-common.roleInit" -}}
{{- $values := get .root.Values .role -}}
{{- include "spark-common.trustInit" (merge (dict "image" (include "spark-common.roleImage" .)) .outside) }}
{{ include "spark-common.containers" (dict "list" $values.sidecars "restartPolicy" "Always") }}
{{ include "spark-common.containers" (dict "list" $values.initContainers) }}
{{- end }}

{{- define "spark-common.mergeRole" -}}
{{- $values := get .root.Values .role -}}
{{- $given := append (keys $values.env) (include "spark-common.scratch" .) -}}
{{- range .root.Values.volumes -}}
{{- $given = append $given .name -}}
{{- end -}}
{{- include "spark-common.mergePod" (dict "pod" .pod "template" $values.podTemplate "from" (printf "%s.podTemplate" .role) "whose" .role "given" $given "others" .others) -}}
{{- end }}
