{{/*
The pods of a run, as far as both deploy modes share them: values and the user's pod template on top of what "restricted"
asks. Each gives YAML with metadata and spec.

  spark-job.pod           call with a dict: root, role ("driver" or "executor"), configMap (its name)
  spark-job.mergePod      the user's pod template merged into a pod; call with a dict: pod, extra; changes pod
  spark-job.mergeNamed    a list merged by the names in it; call with a dict: base, extra
  spark-job.overlay       a map laid over another, deeply; call with a dict: base, extra; changes base (Helm's own merge
                          takes false and 0 for absent)
  spark-job.containers    a list of the user's containers, each restricted unless it says otherwise; a dict: root, list
  spark-job.volumesOf     the items of .Values.volumes that a role mounts; call with a dict: root, role
  spark-job.priorityClass the priority class of a role's pods, or nothing; call with a dict: root, role
  spark-job.isolated      a selector: drivers and executors of the release where they are isolated; call with the root
*/}}

{{- define "spark-job.isolated" -}}
matchLabels:
  {{- include "spark-common.podLabels" (dict "root" .) | nindent 2 }}
  kindling.local/isolated: "true"
{{- end }}

{{- define "spark-job.priorityClass" -}}
{{- (get .root.Values .role).priorityClassName | default (get .root.Values.global.priorityClasses .role) -}}
{{- end }}

{{- define "spark-job.volumesOf" -}}
{{- $volumes := list -}}
{{- range .root.Values.volumes -}}
{{- if has $.role (.roles | default (list "driver" "executor")) -}}
{{- $volumes = append $volumes . -}}
{{- end -}}
{{- end -}}
{{- toYaml $volumes -}}
{{- end }}

{{- define "spark-job.volumes" -}}
{{- $role := .role -}}
{{- range include "spark-job.volumesOf" . | fromYamlArray }}
{{- if not .onDemand }}
- {{ omit . "mountPath" "subPath" "readOnly" "roles" | toYaml | nindent 2 | trim }}
{{- else if eq $role "driver" }}
- name: {{ .name | quote }}
  ephemeral:
    volumeClaimTemplate:
      spec:
        accessModes: [ReadWriteOnce]
        storageClassName: {{ .onDemand.storageClass | quote }}
        resources:
          requests:
            storage: {{ .onDemand.size | quote }}
{{- end }}
{{- end }}
{{- with .root.Values.localDirs }}
{{- if or .memory .size }}
- name: spark-local-dir-kindling
  emptyDir:
    {{- if .memory }}
    medium: Memory
    {{- end }}
    {{- with .size }}
    sizeLimit: {{ . | quote }}
    {{- end }}
{{- end }}
{{- end }}
{{- if eq $role "driver" }}
- name: kindling
  configMap:
    name: {{ with .configMap }}{{ quote . }}{{ end }}
{{- end }}
{{- if include "spark-job.mountsLog" . }}
{{- include "spark-job.logVolume" .configMap }}
{{- end }}
{{ include "spark-job.security" .root | fromYaml | include "spark-common.authVolume" }}
{{- if eq $role "driver" }}
{{- include "spark-common.eventLogVolumes" .root.Values.global.eventLog }}
{{- end }}
{{- end }}

{{/* A cluster-mode driver gets its configuration folder from Spark, out of that of the submitter. */}}
{{- define "spark-job.mountsLog" -}}
{{- if and (include "spark-job.hasLog" .root) (or (eq .role "executor") (eq .root.Values.mode "client")) -}}
true
{{- end -}}
{{- end }}

{{- define "spark-job.logVolume" }}
- name: spark-conf
  configMap:
    name: {{ with . }}{{ quote . }}{{ end }}
    items:
      - { key: log4j2.properties, path: log4j2.properties }
{{- end }}

{{- define "spark-job.logMount" }}
- name: spark-conf
  mountPath: /opt/spark/conf
  readOnly: true
{{- end }}

{{- define "spark-job.logEnv" }}
- name: SPARK_CONF_DIR
  value: /opt/spark/conf
{{- end }}

{{- define "spark-job.mounts" -}}
{{- $role := .role -}}
{{- range include "spark-job.volumesOf" . | fromYamlArray }}
{{- if not (and .onDemand (eq $role "executor")) }}
- {{ pick . "name" "mountPath" "subPath" "readOnly" | toYaml | nindent 2 | trim }}
{{- end }}
{{- end }}
{{- if or .root.Values.localDirs.memory .root.Values.localDirs.size }}
- name: spark-local-dir-kindling
  mountPath: /var/data/spark-local-dir-kindling
{{- end }}
{{- if eq $role "driver" }}
- name: kindling
  mountPath: /opt/kindling
  readOnly: true
{{- end }}
{{- if include "spark-job.mountsLog" . }}
{{- include "spark-job.logMount" . }}
{{- end }}
{{ include "spark-job.security" .root | fromYaml | include "spark-common.authMount" }}
{{- if eq $role "driver" }}
{{- include "spark-common.eventLogMounts" .root.Values.global.eventLog }}
{{- end }}
{{- end }}

{{- define "spark-job.env" -}}
{{- range $name, $value := . }}
- name: {{ $name | quote }}
  {{- if kindIs "map" $value }}
  valueFrom: {{ toYaml $value | nindent 4 }}
  {{- else }}
  value: {{ include "spark-common.text" $value | replace "$(" "$$(" | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "spark-job.containers" -}}
{{- range .list }}
{{- $container := dict "securityContext" (include "spark-common.containerSecurityContext" $.root | fromYaml) }}
{{- include "spark-job.overlay" (dict "base" $container "extra" .) }}
- {{ toYaml $container | nindent 2 | trim }}
{{- end }}
{{- end }}

{{- define "spark-job.sidecars" -}}
{{- range . }}
- {{ set (deepCopy .) "restartPolicy" "Always" | toYaml | nindent 2 | trim }}
{{- end }}
{{- end }}

{{- define "spark-job.spread" -}}
{{- $own := dict "matchLabels" (include "spark-common.podLabels" (dict "root" .root "component" .role) | fromYaml) -}}
{{- range (get .root.Values .role).topologySpreadConstraints }}
- {{ hasKey . "labelSelector" | ternary . (set (deepCopy .) "labelSelector" $own) | toYaml | nindent 2 | trim }}
{{- end }}
{{- end }}

{{- define "spark-job.pod" -}}
{{- $values := get .root.Values .role -}}
{{- $text := include "spark-job.podText" (dict "root" .root "role" .role "configMap" .configMap "values" $values) -}}
{{- $pod := fromYaml $text -}}
{{- if hasKey $pod "Error" -}}
{{- fail (printf "the values of %s make no YAML: %s" .role $pod.Error) -}}
{{- end -}}
{{- if not $pod.metadata.annotations -}}
{{- $_ := unset $pod.metadata "annotations" -}}
{{- end -}}
{{- include "spark-job.mergePod" (dict "pod" $pod "extra" $values.podTemplate) -}}
{{- toYaml $pod -}}
{{- end }}

{{- define "spark-job.podText" -}}
{{- $root := .root -}}
{{- $role := .role -}}
{{- with .values -}}
metadata:
  labels:
    {{- include "spark-common.podLabels" (dict "root" $root "component" $role) | nindent 4 }}
    {{- if $root.Values.global.isolateApplications }}
    # spark-namespace opens applications to each other but for these.
    kindling.local/isolated: "true"
    {{- end }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- if eq $role "driver" }}
    {{- include "spark-job.scrapeAnnotations" $root | nindent 4 }}
    {{- end }}
    {{- with .annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  automountServiceAccountToken: {{ eq $role "driver" }}
  enableServiceLinks: false
  securityContext:
    {{- include "spark-common.podSecurityContext" $root | nindent 4 }}
  {{- include "spark-common.pullSecrets" $root.Values.image.pullSecrets | nindent 2 }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" "schedulerName" "runtimeClassName" }}
  {{- with get $.values $key }}
  {{- dict $key . | toYaml | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- with include "spark-job.priorityClass" (dict "root" $root "role" $role) }}
  priorityClassName: {{ quote . }}
  {{- end }}
  {{- if .topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- include "spark-job.spread" (dict "root" $root "role" $role) | nindent 4 }}
  {{- end }}
  {{- if not (kindIs "invalid" .terminationGracePeriodSeconds) }}
  terminationGracePeriodSeconds: {{ int64 .terminationGracePeriodSeconds }}
  {{- end }}
  {{- $trust := eq $role "driver" | ternary (include "spark-common.eventLogInit" (dict "eventLog" $root.Values.global.eventLog "image" (include "spark-common.image" $root))) "" }}
  {{- if or .initContainers .sidecars $trust }}
  initContainers:
    {{- $trust | nindent 4 }}
    {{- include "spark-job.sidecars" (include "spark-job.containers" (dict "root" $root "list" .sidecars) | fromYamlArray) | nindent 4 }}
    {{- include "spark-job.containers" (dict "root" $root "list" .initContainers) | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ $role }}
      {{- $env := include "spark-job.env" .env }}
      {{- if include "spark-job.mountsLog" (dict "root" $root "role" $role) }}
      {{- $env = cat $env (include "spark-job.logEnv" .) }}
      {{- end }}
      {{- if eq $role "driver" }}
      {{- $env = include "spark-common.eventLogEnv" $root.Values.global.eventLog | printf "%s\n%s" $env | trim }}
      {{- else }}
      {{- $env = include "spark-job.security" $root | fromYaml | include "spark-common.authEnv" | printf "%s\n%s" $env | trim }}
      {{- end }}
      {{- with $env }}
      env:
        {{- . | nindent 8 }}
      {{- end }}
      {{- with .envFrom }}
      envFrom: {{ toYaml . | nindent 8 }}
      {{- end }}
      # The last lines of a container that failed stand in its status.
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- include "spark-common.containerSecurityContext" $root | nindent 8 }}
      volumeMounts:
        {{- include "spark-common.scratchMounts" $root | nindent 8 }}
        {{- include "spark-job.mounts" (dict "root" $root "role" $role) | nindent 8 }}
  volumes:
    {{- include "spark-common.scratchVolumes" $root | nindent 4 }}
    {{- include "spark-job.volumes" (dict "root" $root "role" $role "configMap" $.configMap) | nindent 4 }}
{{- end }}
{{- end }}

{{- define "spark-job.mergeNamed" -}}
{{- $merged := list -}}
{{- $seen := dict -}}
{{- range .base -}}
{{- $item := deepCopy . -}}
{{- range $.extra -}}
{{- if and .name (eq .name $item.name) -}}
{{- range $key, $value := . -}}
{{- if and (kindIs "slice" $value) (hasKey $item $key) -}}
{{- $_ := set $item $key (concat (get $item $key) $value) -}}
{{- else -}}
{{- include "spark-job.overlay" (dict "base" $item "extra" (dict $key $value)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $_ := set $seen $item.name true -}}
{{- $merged = append $merged $item -}}
{{- end -}}
{{- range .extra -}}
{{- if not (hasKey $seen (.name | default "")) -}}
{{- $merged = append $merged . -}}
{{- end -}}
{{- end -}}
{{- toYaml $merged -}}
{{- end }}

{{- define "spark-job.overlay" -}}
{{- range $key, $value := .extra -}}
{{- $own := get $.base $key -}}
{{- if and (kindIs "map" $value) (kindIs "map" $own) -}}
{{- include "spark-job.overlay" (dict "base" $own "extra" $value) -}}
{{- else -}}
{{- $_ := set $.base $key $value -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-job.mergePod" -}}
{{- $spec := .pod.spec -}}
{{- include "spark-job.overlay" (dict "base" .pod.metadata "extra" (.extra.metadata | default dict)) -}}
{{- range $key, $value := .extra.spec | default dict -}}
{{- $own := get $spec $key -}}
{{- if not (and (kindIs "slice" $value) (kindIs "slice" $own)) -}}
{{- include "spark-job.overlay" (dict "base" $spec "extra" (dict $key $value)) -}}
{{- else if has $key (list "containers" "initContainers" "volumes" "imagePullSecrets") -}}
{{- $_ := set $spec $key (include "spark-job.mergeNamed" (dict "base" $own "extra" $value) | fromYamlArray) -}}
{{- else -}}
{{- $_ := set $spec $key (concat $own $value) -}}
{{- end -}}
{{- end -}}
{{- end }}
