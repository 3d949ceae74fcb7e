{{/*
What runs. Each is called with the root unless said otherwise.

  spark-job.hash          hash of what runs, not of how it is written nor of the chart's programs: a new comment or a
                          mended program is no new run
  spark-job.name          <release>-<hash>: same values, same name, no new run; other values, a new one
  spark-job.isPython      "true" if the application is Python
  spark-job.runsNow       "true" if there is a Job at once; with a schedule there may be none
  spark-job.data          what the ConfigMap holds; call with a dict: root, configMap (its name); ownData is that without
                          the chart's programs
  spark-job.jobAnnotations  annotations of the Job; call with a dict: root, configMap (its name)
  spark-job.jobSpec       spec of the Job; call with a dict: root, configMap (its name)
*/}}

{{- define "spark-job.hash" -}}
{{- /* Most templates ask for it, and it takes all pods: it stays at the root, which they share. */ -}}
{{- if not (hasKey . "kindlingHash") -}}
{{- $ask := dict "root" . "configMap" "" -}}
{{- $run := list (include "spark-common.text" .Values.run.id) (include "spark-job.ownData" $ask) (include (eq .Values.mode "cluster" | ternary "spark-job.submitter" "spark-job.driver") $ask) -}}
{{- $_ := join "\n" $run | sha256sum | trunc 8 | set . "kindlingHash" -}}
{{- end -}}
{{- .kindlingHash -}}
{{- end }}

{{- define "spark-job.name" -}}
{{- /* Spark names the hosts of executors after their driver's pod, and a host's name has no dot. */ -}}
{{- printf "%s-%s" (replace "." "-" .Release.Name) (include "spark-job.hash" .) -}}
{{- end }}

{{/* A CronJob's name has 52 characters at most: Kubernetes adds 11 for each run. For its dots see spark-job.name. */}}
{{- define "spark-job.cronJob" -}}
{{- $name := .Release.Name -}}
{{- if contains "." $name -}}
{{- $name = printf "%s-%s" (replace "." "-" $name) (sha256sum $name | trunc 8) -}}
{{- end -}}
{{- include "spark-common.shortened" (dict "name" $name "most" 52) -}}
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

{{- define "spark-job.data" -}}
{{- include "spark-job.ownData" . }}
{{- range $file := include "spark-job.programs" .root | splitList " " }}
{{ $file }}: |
  {{- $.root.Files.Get (printf "files/%s" $file) | nindent 2 }}
{{- end }}
{{- with include "spark-job.fetched" .root | fromJson }}
addresses.json: {{ toJson . | quote }}
{{- end }}
{{- end }}

{{- define "spark-job.ownData" -}}
{{ dict "spark.properties" (include "spark-job.properties" .root | trim | printf "%s\n") | toYaml }}
executor.yaml: |
  apiVersion: v1
  kind: Pod
  {{- include "spark-common.executor" (merge (dict "env" (include "spark-job.roleEnv" (dict "root" .root "role" "executor") | fromJson)) .) | nindent 2 }}
{{- if eq .root.Values.mode "cluster" }}
{{ dict "driver.json" (include "spark-job.driver" . | printf "apiVersion: v1\nkind: Pod\n%s" | fromYaml | mustToPrettyJson | printf "%s\n") | toYaml }}
{{- end }}
{{- if include "spark-common.hasLog" .root.Values.log }}
log4j2.properties: {{ include "spark-common.log4j2" .root.Values.log | quote }}
{{- end }}
{{- with .root.Values.app.source }}
app.py: {{ quote . }}
{{- end }}
{{- end }}

{{/* The chart's programs that the Job's pod needs, for the mode. */}}
{{- define "spark-job.programs" -}}
{{- if eq .Values.mode "cluster" -}}
addresses.py api_answers.py driver_log.py fetch_faults.py kerberos_faults.py known_faults.py kube.py last_error.py passing.py refusal.py submit.py
{{- else -}}
addresses.py api_answers.py drive.py fetch_faults.py kerberos_faults.py known_faults.py last_error.py passing.py refusal.py
{{- end -}}
{{- end }}

{{- define "spark-job.jobAnnotations" -}}
{{- if eq .root.Values.mode "cluster" }}
{{- include "spark-job.madeAnnotation" . }}
{{- end }}
{{- with .root.Values.job.annotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "spark-job.jobSpec" -}}
{{- $values := .root.Values -}}
{{- if $values.job.suspend }}
suspend: true
{{- end }}
backoffLimit: {{ int64 $values.retries }}
{{- with $values.deadlineSeconds }}
activeDeadlineSeconds: {{ int64 . }}
{{- end }}
{{- if not (kindIs "invalid" $values.ttlSecondsAfterFinished) }}
ttlSecondsAfterFinished: {{ int64 $values.ttlSecondsAfterFinished }}
{{- end }}
{{- if and (eq $values.mode "cluster") (semverCompare ">=1.25-0" .root.Capabilities.KubeVersion.Version) }}
# A submitter that was killed, asked to go, evicted or lost with its node (255) is replaced and finds its driver again;
# only a failed application counts. The program in the pod ends with none of these codes for it: where the driver did, it
# ends with 1. Kubernetes 1.24 has no such policy, and helm would not install what it does not know: there each lost
# submitter counts as an attempt.
podFailurePolicy:
  rules:
    - action: Ignore
      onPodConditions:
        - { type: DisruptionTarget, status: "True" }
    - action: Ignore
      onExitCodes: { containerName: submitter, operator: In, values: [137, 143, 255] }
{{- end }}
template:
  {{- if eq $values.mode "cluster" }}
  {{- include "spark-job.submitter" . | nindent 2 }}
  {{- else }}
  {{- include "spark-job.driver" . | nindent 2 }}
  {{- end }}
{{- end }}
