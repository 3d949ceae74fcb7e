{{/*
Volumes that values give to pods: .Values.volumes, and .Values.localDirs to drivers and executors.

  spark-common.runVolume   the ConfigMap with what a run reads, a list; call with its name, empty while spark-job.hash asks
  spark-common.runMount    the same as a mount of Spark's container, at /opt/kindling; call with anything
  spark-common.scratch     name of the volume that .Values.localDirs gives; call with anything
  spark-common.volumes     those of a role's pods, a list; call with a dict: root, role ("driver", "executor" or "submitter")
  spark-common.mounts      the same as mounts of Spark's container. Both leave out the claims that Spark makes and mounts
  spark-common.isMadeBySpark  "true" if a volume is a claim that Spark makes for each executor, and hands on to the next one. A
                        StatefulSet would make it, and nobody would own it: there each pod has one of its own. Call with a dict:
                        root, volume, role
  spark-common.isMounted   "true" if a role's pods have a volume; call with a dict: volume, role
  spark-common.hasConfFiles
                        "true" if executors have volumes in /opt/spark/conf: their entrypoint does not look there by itself;
                        call with .Values.volumes
  spark-common.localDirs   folders of the driver for scratch data, those that driver.podTemplate mounts too, with commas
                        between them; call with the root
*/}}

{{- define "spark-common.runVolume" -}}
- name: kindling
  configMap:
    name: {{ with . }}{{ quote . }}{{ end }}
{{- end }}

{{- define "spark-common.runMount" -}}
- name: kindling
  mountPath: /opt/kindling
  readOnly: true
{{- end }}

{{- define "spark-common.scratch" -}}
spark-local-dir-kindling
{{- end }}

{{- define "spark-common.isMounted" -}}
{{- if has .role (.volume.roles | default (list "driver" "executor")) -}}
true
{{- end -}}
{{- end }}

{{- define "spark-common.hasConfFiles" -}}
{{- $found := false -}}
{{- range . -}}
{{- if and (include "spark-common.isMounted" (dict "volume" . "role" "executor")) (hasPrefix "/opt/spark/conf/" (printf "%s/" (clean .mountPath))) -}}
{{- $found = true -}}
{{- end -}}
{{- end -}}
{{- if $found -}}
true
{{- end -}}
{{- end }}

{{- define "spark-common.isMadeBySpark" -}}
{{- if and .volume.onDemand (eq .role "executor") (include "spark-common.isMounted" .) -}}
{{- if ne .root.Values.executor.allocator "statefulset" -}}
true
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.volumes" -}}
{{- range $volume := .root.Values.volumes }}
{{- if include "spark-common.isMounted" (dict "volume" $volume "role" $.role) }}
{{- if not .onDemand }}
{{ list (omit . "mountPath" "subPath" "readOnly" "roles") | toYaml }}
{{- else if not (include "spark-common.isMadeBySpark" (dict "root" $.root "volume" $volume "role" $.role)) }}
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
{{- end }}
{{- with .root.Values.localDirs }}
{{- if and (ne $.role "submitter") (or .memory .size) }}
- name: {{ include "spark-common.scratch" . }}
  emptyDir:
    {{- if .memory }}
    medium: Memory
    {{- end }}
    {{- with .size }}
    sizeLimit: {{ . | quote }}
    {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "spark-common.mounts" -}}
{{- range $volume := .root.Values.volumes }}
{{- if and (include "spark-common.isMounted" (dict "volume" $volume "role" $.role)) (not (include "spark-common.isMadeBySpark" (dict "root" $.root "volume" $volume "role" $.role))) }}
{{ list (pick . "name" "mountPath" "subPath" "readOnly") | toYaml }}
{{- end }}
{{- end }}
{{- if and (ne .role "submitter") (or .root.Values.localDirs.memory .root.Values.localDirs.size) }}
- name: {{ include "spark-common.scratch" . }}
  mountPath: /var/data/{{ include "spark-common.scratch" . }}
{{- end }}
{{- end }}

{{- define "spark-common.localDirs" -}}
{{- $mounts := list -}}
{{- range $volume := .Values.volumes -}}
{{- if include "spark-common.isMounted" (dict "volume" $volume "role" "driver") -}}
{{- $mounts = append $mounts . -}}
{{- end -}}
{{- end -}}
{{- if or .Values.localDirs.memory .Values.localDirs.size -}}
{{- $mounts = append $mounts (dict "name" (include "spark-common.scratch" .) "mountPath" (include "spark-common.scratch" . | printf "/var/data/%s")) -}}
{{- end -}}
{{- range (.Values.driver.podTemplate.spec).containers -}}
{{- $mounts = concat $mounts (.volumeMounts | default list) -}}
{{- end -}}
{{- $folders := list -}}
{{- range $mounts -}}
{{- if hasPrefix "spark-local-dir-" .name -}}
{{- $folders = append $folders .mountPath -}}
{{- end -}}
{{- end -}}
{{- join "," $folders -}}
{{- end }}
