{{/*
Values that cannot go together, each refused in one line that says what to do. Call with the root unless said otherwise.

  spark-job.checks            all of them
  spark-job.checkApplication  file, source, main class
  spark-job.checkSchedule     schedule and run
  spark-job.checkRole         one role's resources, environment, labels, containers; call with a dict: root, role
  spark-job.checkTemplate     a role's pod template: what the chart owns; call with a dict: root, role
  spark-job.checkSubmitter    the submitter's resources and environment
  spark-job.checkExecutors    dynamic allocation, rolling, allocator
*/}}

{{- define "spark-job.checks" -}}
{{- /* Each template asks, because helm may render any of them first. */ -}}
{{- /* A source is quoted: in it any character may stand. */ -}}
{{- include "spark-common.checkText" (set (omit .Values "app") "app" (omit .Values.app "source")) -}}
{{- include "spark-common.checkHelpers" .Values.global.helpers -}}
{{- include "spark-common.checkLabels" (dict "labels" .Values.global.commonLabels "from" "global.commonLabels") -}}
{{- include "spark-common.checkLabels" (dict "labels" .Values.job.labels "from" "job.labels") -}}
{{- include "spark-common.checkAnnotations" (dict "annotations" .Values.job.annotations "from" "job.annotations") -}}
{{- include "spark-common.checkLabels" (dict "labels" .Values.configMap.labels "from" "configMap.labels") -}}
{{- include "spark-common.checkAnnotations" (dict "annotations" .Values.configMap.annotations "from" "configMap.annotations") -}}
{{- if hasKey .Values.job.annotations "kindling.local/config-sha256" -}}
{{- fail "job.annotations sets kindling.local/config-sha256, which the chart sets itself: take another key" -}}
{{- end -}}
{{- include "spark-job.checkApplication" . -}}
{{- include "spark-job.checkDependencies" . -}}
{{- include "spark-job.checkSchedule" . -}}
{{- range $role := list "driver" "executor" -}}
{{- include "spark-job.checkRole" (dict "root" $ "role" $role) -}}
{{- include "spark-job.checkTemplate" (dict "root" $ "role" $role) -}}
{{- end -}}
{{- include "spark-job.checkTemplate" (dict "root" . "role" "submitter") -}}
{{- include "spark-job.checkSubmitter" . -}}
{{- include "spark-job.checkExecutors" . -}}
{{- include "spark-job.checkConf" (dict "conf" .Values.sparkConf "from" "sparkConf") -}}
{{- include "spark-job.checkConf" (dict "conf" .Values.global.sparkConf "from" "global.sparkConf") -}}
{{- include "spark-common.checkSecurity" (dict "root" . "security" (list .Values.global.security .Values.security) "allow" "security.allowInsecure" "confs" (list .Values.global.sparkConf .Values.sparkConf) "from" (list "global.sparkConf" "sparkConf")) -}}
{{- include "spark-common.checkEventLog" (dict "eventLog" .Values.global.eventLog "global" .Values.global "confs" (list .Values.global.sparkConf .Values.sparkConf) "from" (list "global.sparkConf" "sparkConf")) -}}
{{- include "spark-common.checkHadoop" (dict "global" .Values.global "confs" (list .Values.global.sparkConf .Values.sparkConf) "from" (list "global.sparkConf" "sparkConf")) -}}
{{- with .Values.log -}}
{{- if and .properties (or .level .json) -}}
{{- fail "log.properties is a whole configuration: leave log.level and log.json out, or log.properties empty" -}}
{{- end -}}
{{- end -}}
{{- include "spark-common.checkLabels" (dict "labels" .Values.metrics.podMonitor.labels "from" "metrics.podMonitor.labels") -}}
{{- with .Values.metrics -}}
{{- if and (not .enabled) (or .annotations .podMonitor.enabled) -}}
{{- fail (printf "metrics.%s is set but metrics.enabled is false: set it to true" (ternary "annotations" "podMonitor.enabled" .annotations)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-job.checkApplication" -}}
{{- $app := .Values.app -}}
{{- if and (not $app.file) (not $app.source) -}}
{{- fail "app.file and app.source are both empty: set app.file to where the application is, or give a Python file with --set-file app.source=job.py" -}}
{{- end -}}
{{- if and $app.file $app.source -}}
{{- fail (printf "app.file is %q and app.source is set too: give one of them" $app.file) -}}
{{- end -}}
{{- if and $app.source $app.mainClass -}}
{{- fail (printf "app.mainClass is %q but app.source is Python: leave app.mainClass empty, or put the jar's place in app.file" $app.mainClass) -}}
{{- end -}}
{{- if gt (len ($app.source | default "")) 1000000 -}}
{{- fail (printf "app.source has %d bytes, and a ConfigMap holds 1000000: put the file where Spark can fetch it and set app.file" (len $app.source)) -}}
{{- end -}}
{{- if and $app.file (not $app.mainClass) (not (hasSuffix ".py" $app.file)) (not (hasSuffix ".jar" $app.file)) -}}
{{- fail (printf "app.file is %q, which ends neither with .py nor with .jar: give the file's place without a query, or set app.mainClass if it is a Java or Scala application" $app.file) -}}
{{- end -}}
{{- end }}

{{- define "spark-job.checkSchedule" -}}
{{- $schedule := .Values.schedule -}}
{{- if not $schedule.cron -}}
{{- if .Values.run.now -}}
{{- fail "run.now is true but schedule.cron is empty: without a schedule the run starts at once anyway; leave run.now out" -}}
{{- end -}}
{{- range $key := list "timeZone" "startingDeadlineSeconds" "suspend" -}}
{{- if get $schedule $key -}}
{{- fail (printf "schedule.%s is set but schedule.cron is empty: set schedule.cron to when the application runs" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-job.checkRole" -}}
{{- $role := .role -}}
{{- $values := get .root.Values $role -}}
{{- if lt (include "spark-common.mebibytes" $values.memory | int) 512 -}}
{{- fail (printf "%s.memory is %q, and Spark needs 512m at least" $role $values.memory) -}}
{{- end -}}
{{- with $values.limitCores | include "spark-common.text" -}}
{{- $asked := include "spark-job.cores" $values -}}
{{- if gt (include "spark-common.millicores" $asked | int64) (include "spark-common.millicores" . | int64) -}}
{{- fail (printf "%s.limitCores is %q, less than the %q that are asked for: raise it, or set %s.requestCores" $role . $asked $role) -}}
{{- end -}}
{{- end -}}
{{- include "spark-job.checkLabels" (dict "labels" $values.labels "from" (printf "%s.labels" $role)) -}}
{{- include "spark-job.checkEnv" (dict "names" (keys $values.env) "from" (printf "%s.env" $role) "role" $role) -}}
{{- end }}

{{/* call with a dict: labels, from */}}
{{- define "spark-job.checkLabels" -}}
{{- range $key := keys (.labels | default dict) | sortAlpha -}}
{{- if or (hasPrefix "spark-" $key) (has $key (list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component")) (regexMatch "^(batch\\.kubernetes\\.io/|kindling\\.local/isolated$|job-name$|controller-uid$)" $key) -}}
{{- fail (printf "%s sets %s, by which Spark, Kubernetes or the chart finds the pod: take another key" $.from $key) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* call with a dict: names, from, role */}}
{{- define "spark-job.checkEnv" -}}
{{- range $name := .names | sortAlpha -}}
{{- if and (eq $.role "submitter") (has $name (list "SPARK_SUBMIT_OPTS" "SPARK_LAUNCHER_OPTS")) -}}
{{- fail (printf "%s sets %s, which the chart sets itself: use submitter.jvmOptions" $.from $name) -}}
{{- end -}}
{{- if has $name (list "FAIL_FAST" "_SPARK_AUTH_SECRET" "SPARK_JAVA_OPT_KINDLING" "SPARK_DRIVER_BIND_ADDRESS" "SPARK_CONF_DIR" "SPARK_LOCAL_DIRS" "SPARK_APPLICATION_ID" "SPARK_DRIVER_URL" "SPARK_EXECUTOR_CORES" "SPARK_EXECUTOR_ID" "SPARK_EXECUTOR_MEMORY" "SPARK_EXECUTOR_POD_IP" "SPARK_EXECUTOR_POD_NAME" "SPARK_RESOURCE_PROFILE_ID") -}}
{{- fail (printf "%s sets %s, which the chart or Spark sets itself: take another name" $.from $name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-job.checkTemplate" -}}
{{- $from := printf "%s.podTemplate" .role -}}
{{- $role := .role -}}
{{- $template := (get .root.Values .role).podTemplate -}}
{{- $account := eq $role "submitter" | ternary "global.serviceAccounts.submitter" (printf "%s.serviceAccountName" $role) -}}
{{- include "spark-common.checkPodTemplate" (dict
  "template" $template
  "from" $from
  "names" (list $role)
  "spec" (dict
    "serviceAccountName" $account
    "serviceAccount" $account
    "automountServiceAccountToken" "nothing: submitter and driver have a token and an executor has none"
    "restartPolicy" "nothing: Spark's pods never restart; retries says how often a run is tried again"
    "activeDeadlineSeconds" "deadlineSeconds"
    "hostname" "nothing: Spark sets it")
  "container" (dict "image" "image" "imagePullPolicy" "image.pullPolicy" "command" "app" "args" "app.args")) -}}
{{- include "spark-job.checkLabels" (dict "labels" ($template.metadata).labels "from" $from) -}}
{{- range ($template.spec).containers -}}
{{- if ne .name $role -}}
{{- fail (printf "%s has a container named %q beside Spark's: the run would wait for its end; use instead: %s" $from .name (eq $role "submitter" | ternary "spec.initContainers" (printf "%s.sidecars" $role))) -}}
{{- end -}}
{{- $resources := .resources | default dict -}}
{{- range $kind := list "requests" "limits" -}}
{{- $given := get $resources $kind | default dict -}}
{{- if hasKey $given "cpu" -}}
{{- fail (printf "%s sets the %s of cpu of Spark's container, which the chart sets itself; use instead: %s.%s" $from $kind $role (ternary "requestCores" "limitCores" (eq $kind "requests"))) -}}
{{- end -}}
{{- if hasKey $given "memory" -}}
{{- fail (printf "%s sets the %s of memory of Spark's container, which the chart sets itself; use instead: %s.memory%s" $from $kind $role (eq $role "submitter" | ternary "" (printf " and %s.memoryOverhead" $role))) -}}
{{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range .env -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- include "spark-job.checkEnv" (dict "names" $names "from" $from "role" $role) -}}
{{- end -}}
{{- end }}

{{- define "spark-job.checkSubmitter" -}}
{{- $submitter := .Values.submitter -}}
{{- $helpers := .Values.global.helpers -}}
{{- $from := empty $submitter.limitCores | ternary "global.helpers.limitCores" "submitter.limitCores" -}}
{{- with $submitter.limitCores | default $helpers.limitCores | include "spark-common.text" -}}
{{- $asked := include "spark-common.text" $submitter.requestCores -}}
{{- if gt (include "spark-common.millicores" $asked | int64) (include "spark-common.millicores" . | int64) -}}
{{- fail (printf "%s is %q, less than submitter.requestCores, %q: raise it, or lower submitter.requestCores" $from . $asked) -}}
{{- end -}}
{{- end -}}
{{- include "spark-job.checkEnv" (dict "names" (keys $submitter.env) "from" "submitter.env" "role" "submitter") -}}
{{- end }}

{{- define "spark-job.checkExecutors" -}}
{{- $executor := .Values.executor -}}
{{- with $executor.dynamicAllocation -}}
{{- if .enabled -}}
{{- if lt (int .max) (int .min) -}}
{{- fail (printf "executor.dynamicAllocation.max is %d, less than min, %d: raise max or lower min" (int .max) (int .min)) -}}
{{- end -}}
{{- if gt (int $executor.instances) (int .max) -}}
{{- fail (printf "executor.instances is %d, more than executor.dynamicAllocation.max, %d: raise max or lower instances" (int $executor.instances) (int .max)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $executor.rolling.interval (not $executor.decommission) -}}
{{- fail "executor.rolling.interval is set but executor.decommission is false: an executor that is rolled hands its data on first; set it to true" -}}
{{- end -}}
{{- if and (eq $executor.allocator "statefulset") $executor.dynamicAllocation.enabled -}}
{{- fail "executor.allocator is \"statefulset\" and executor.dynamicAllocation.enabled is true: a StatefulSet gives up its newest pod, not the idle one; take one of them" -}}
{{- end -}}
{{- end }}
