{{/*
Parts of the pods. Call with the root unless said otherwise.

  spark-standalone.outside    how Spark reaches servers outside, JSON, for spark-common.outsideEnv and the like; call with a
                              dict: root, isDriver
  spark-standalone.security   the cluster's Secret as spark-common.authVolume and authMount take it, a JSON list
  spark-standalone.commonVolumes, spark-standalone.commonMounts
                              what each pod of Spark has; call with a dict: root, and configMap (its name) or files (names in
                              it: mounted one by one, so that files of volumes stay beside them)
  spark-standalone.volumes, spark-standalone.mounts
                              those of .Values.volumes, a list
  spark-standalone.resources  of a container; call with a dict: values (requestCores, limitCores), memory (in MiB)
  spark-standalone.name       of the StatefulSet of a part, so short that Kubernetes can name its pods; call with a dict: root, part
  spark-standalone.merged     a pod with the user's podTemplate; call with a dict: root, role ("master", "worker", "client"), pod
                              (its YAML), given (names of what in it the user may replace)
*/}}

{{- define "spark-standalone.outside" -}}
{{- /* Spark gives executors of a standalone cluster no tokens of Kerberos: pods have none of it. */ -}}
{{- $global := merge (dict "hadoop" (dict) "kerberos" (dict)) (omit .root.Values.global "hadoop" "kerberos") -}}
{{- $outside := dict "global" $global "opensS3" true -}}
{{- if .isDriver -}}
{{- $_ := set $outside "eventLog" $global.eventLog -}}
{{- end -}}
{{- toJson $outside -}}
{{- end }}

{{- define "spark-standalone.security" -}}
{{- list (dict "profile" "hardened" "authSecret" .Values.auth.secret) | toJson -}}
{{- end }}

{{- define "spark-standalone.commonVolumes" -}}
{{- include "spark-common.scratchVolumes" .root }}
- name: spark-conf
  configMap:
    name: {{ quote .configMap }}
{{ include "spark-common.authVolume" (include "spark-standalone.security" .root | fromJsonArray) }}
{{- end }}

{{- define "spark-standalone.commonMounts" -}}
{{- include "spark-common.scratchMounts" .root }}
{{- range .files }}
- name: spark-conf
  mountPath: /opt/spark/conf/{{ . }}
  subPath: {{ . }}
  readOnly: true
{{- end }}
{{ include "spark-common.authMount" (include "spark-standalone.security" .root | fromJsonArray) }}
{{- end }}

{{- define "spark-standalone.volumes" -}}
{{- range .Values.volumes }}
{{ list (omit . "mountPath" "subPath" "readOnly") | toYaml }}
{{- end }}
{{- end }}

{{- define "spark-standalone.mounts" -}}
{{- range .Values.volumes }}
{{ list (pick . "name" "mountPath" "subPath" "readOnly") | toYaml }}
{{- end }}
{{- end }}

{{- define "spark-standalone.resources" -}}
requests:
  cpu: {{ include "spark-common.text" .values.requestCores | quote }}
  memory: {{ .memory }}Mi
limits:
  {{- with .values.limitCores }}
  cpu: {{ include "spark-common.text" . | quote }}
  {{- end }}
  memory: {{ .memory }}Mi
{{- end }}

{{- define "spark-standalone.merged" -}}
{{- $values := get .root.Values .role -}}
{{- include "spark-common.mergePod" (dict "pod" .pod "template" $values.podTemplate "from" (printf "%s.podTemplate" .role) "whose" .role "given" .given) -}}
{{- end }}

{{- define "spark-standalone.name" -}}
{{- include "spark-common.shortened" (dict "name" .root.Release.Name "most" 45) }}-{{ .part -}}
{{- end }}
