{{/*
What the Pod Security level "restricted" asks of a pod and of each of its containers, with the user and group of
Spark's official image. Call without arguments that matter (any dict) unless said otherwise.

  spark-common.podSecurityContext          without user and group where the platform assigns them (global.ids); call with the root
  spark-common.containerSecurityContext    the root file system is read-only; see spark-common.scratchMounts
  spark-common.scratchVolumes, spark-common.scratchMounts
                                           the folders that Spark writes to: /tmp and its working directory
*/}}

{{- define "spark-common.podSecurityContext" -}}
runAsNonRoot: true
{{- if ne .Values.global.ids "platform" }}
runAsUser: 185
# The history server and other drivers read what this one writes: they share the group.
runAsGroup: 185
fsGroup: 185
{{- end }}
# A claim with many event logs is not gone through at each start.
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "spark-common.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "spark-common.scratchVolumes" -}}
- name: tmp
  emptyDir: {}
- name: work-dir
  emptyDir: {}
{{- end }}

{{- define "spark-common.scratchMounts" -}}
- name: tmp
  mountPath: /tmp
- name: work-dir
  mountPath: /opt/spark/work-dir
{{- end }}
