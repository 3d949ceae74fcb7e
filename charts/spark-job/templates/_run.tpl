{{/*
What runs. Each is called with the root unless said otherwise.

  spark-job.hash          hash of what runs, not of how it is written nor of the chart's programs: a new comment or a
                          mended program is no new run
  spark-job.name          <release>-<hash>: same values, same name, no new run; other values, a new one
  spark-job.isPython      "true" if the application is Python
  spark-job.runsNow       "true" if there is a Job at once; with a schedule there may be none
  spark-job.data          what the ConfigMap holds; call with a dict: root, name (the ConfigMap's); ownData is that
                          without the chart's programs
  spark-job.jobSpec       spec of the Job; call with a dict: root, name (the ConfigMap's)
*/}}

{{- define "spark-job.hash" -}}
{{- /* Most templates ask for it, and it takes all pods: it stays at the root, which they share. */ -}}
{{- if not (hasKey . "kindlingHash") -}}
{{- $ask := dict "root" . "name" "" -}}
{{- $run := dict "id" (include "spark-common.text" .Values.run.id) "data" (include "spark-job.ownData" $ask | fromYaml) "pod" (include "spark-job.jobPod" $ask | fromYaml) -}}
{{- $_ := toJson $run | sha256sum | trunc 8 | set . "kindlingHash" -}}
{{- end -}}
{{- .kindlingHash -}}
{{- end }}

{{- define "spark-job.name" -}}
{{- printf "%s-%s" .Release.Name (include "spark-job.hash" .) -}}
{{- end }}

{{/* A CronJob's name has 52 characters at most: Kubernetes adds 11 for each run. It ends with a letter or a digit. */}}
{{- define "spark-job.cronJob" -}}
{{- .Release.Name | trunc 52 | regexFind ".*[a-z0-9]" -}}
{{- end }}

{{- define "spark-job.isPython" -}}
{{- if or .Values.app.source (and (not .Values.app.mainClass) (hasSuffix ".py" .Values.app.file)) -}}
true
{{- end -}}
{{- end }}

{{- define "spark-job.runsNow" -}}
{{- if or (not .Values.schedule.cron) .Values.run.now -}}
true
{{- end -}}
{{- end }}

{{- define "spark-job.hasLog" -}}
{{- with .Values.log -}}
{{- if or .level .json .properties -}}
true
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-job.data" -}}
{{- include "spark-job.ownData" . }}
{{- range $file := include "spark-job.programs" .root | splitList " " }}
{{ $file }}: |
  {{- $.root.Files.Get (printf "files/%s" $file) | nindent 2 }}
{{- end }}
{{- end }}

{{- define "spark-job.ownData" -}}
{{ dict "spark.properties" (include "spark-job.properties" .root | trim | printf "%s\n") | toYaml }}
executor.yaml: |
  apiVersion: v1
  kind: Pod
  {{- include "spark-job.pod" (dict "root" .root "role" "executor" "configMap" .name) | nindent 2 }}
{{- if eq .root.Values.mode "cluster" }}
{{ dict "driver.json" (include "spark-job.driverTemplate" . | fromYaml | mustToPrettyJson | printf "%s\n") | toYaml }}
{{- end }}
{{- if include "spark-job.hasLog" .root }}
log4j2.properties: {{ include "spark-job.log4j2" .root | quote }}
{{- end }}
{{- with .root.Values.app.source }}
app.py: {{ quote . }}
{{- end }}
{{- end }}

{{/* The chart's programs that the Job's pod needs, for the mode. */}}
{{- define "spark-job.programs" -}}
{{- if eq .Values.mode "cluster" -}}
driver_log.py kube.py last_error.py refusal.py submit.py
{{- else -}}
drive.py last_error.py refusal.py
{{- end -}}
{{- end }}

{{- define "spark-job.jobSpec" -}}
{{- $values := .root.Values -}}
backoffLimit: {{ int64 $values.retries }}
{{- with $values.deadlineSeconds }}
activeDeadlineSeconds: {{ int64 . }}
{{- end }}
{{- if not (kindIs "invalid" $values.ttlSecondsAfterFinished) }}
ttlSecondsAfterFinished: {{ int64 $values.ttlSecondsAfterFinished }}
{{- end }}
{{- if and (eq $values.mode "cluster") (semverCompare ">=1.25-0" .root.Capabilities.KubeVersion.Version) }}
# A submitter that was killed, evicted or lost with its node (255) is replaced and finds its driver again; only a failed
# application counts. The program in the pod tells the one from the other by a condition, because a driver too may end
# with 137. Kubernetes 1.24 has no such policy, and helm would not install what it does not know: there each lost
# submitter counts as an attempt.
podFailurePolicy:
  rules:
    - action: Count
      onPodConditions:
        - { type: kindling.local/ApplicationFailed, status: "True" }
    - action: Ignore
      onPodConditions:
        - { type: DisruptionTarget, status: "True" }
    - action: Ignore
      onExitCodes: { containerName: submitter, operator: In, values: [137, 143, 255] }
{{- end }}
template:
  {{- include "spark-job.jobPod" . | nindent 2 }}
{{- end }}

{{/* The pod of the Job: the driver itself, or the submitter of one. Call with a dict: root, name (the ConfigMap's). */}}
{{- define "spark-job.jobPod" -}}
{{- if eq .root.Values.mode "cluster" -}}
{{- include "spark-job.submitterPod" . -}}
{{- else -}}
{{- include "spark-job.clientPod" . -}}
{{- end -}}
{{- end }}
