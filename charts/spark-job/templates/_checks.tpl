{{/*
Values that cannot go together, each refused in one line that says what to do. Call with the root unless said otherwise.

  spark-job.checks            all of them
  spark-job.checkApplication  file, source, main class
  spark-job.checkSchedule     schedule and run
  spark-job.checkTemplate     what of a role's pod template the chart owns; call with a dict: root, role
  spark-job.checkSubmitter    the submitter's resources and environment
*/}}

{{- define "spark-job.checks" -}}
{{- /* Each template asks, because helm may render any of them first; their root is one and the same. */ -}}
{{- if not (hasKey . "kindlingChecked") -}}
{{- $_ := set . "kindlingChecked" true -}}
{{- include "spark-common.checkForms" . -}}
{{- include "spark-common.checkDenied" . -}}
{{- /* A source is quoted: in it any character may stand. */ -}}
{{- include "spark-common.checkText" (set (omit .Values "app") "app" (omit .Values.app "source")) -}}
{{- include "spark-common.checkUtf8" (dict "text" .Values.app.source "from" "app.source") -}}
{{- include "spark-common.checkNumbers" (dict "values" .Values.app.args "from" "app.args: item") -}}
{{- range .Values.app.args -}}
{{- if contains "\r" (toString .) -}}
{{- fail (printf "app.args has %q, and Spark's scripts take a carriage return out of an argument: end lines by a newline alone" (toString .)) -}}
{{- end -}}
{{- end -}}
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
{{- include "spark-common.checkRole" (dict "root" $ "role" $role) -}}
{{- include "spark-job.checkTemplate" (dict "root" $ "role" $role) -}}
{{- end -}}
{{- include "spark-job.checkTemplate" (dict "root" . "role" "submitter") -}}
{{- include "spark-job.checkSubmitter" . -}}
{{- include "spark-common.checkExecutors" . -}}
{{- $own := dict
  "spark.submit.deployMode" "mode"
  "spark.app.name" "app.name"
  "spark.kubernetes.driver.container.image" "driver.image"
  "spark.submit.pyFiles" "app.pyFiles"
  "spark.jars" "app.jars"
  "spark.files" "app.files"
  "spark.archives" "app.archives"
  "spark.jars.packages" "app.packages"
  "spark.jars.repositories" "app.repositories"
-}}
{{- include "spark-common.checkConf" (dict "conf" .Values.sparkConf "from" "sparkConf" "own" $own) -}}
{{- include "spark-common.checkConf" (dict "conf" .Values.global.sparkConf "from" "global.sparkConf" "own" $own) -}}
{{- include "spark-common.checkSecurity" (dict "root" . "security" (list .Values.global.security .Values.security) "allow" "security.allowInsecure" "confs" (list .Values.global.sparkConf .Values.sparkConf) "from" (list "global.sparkConf" "sparkConf")) -}}
{{- include "spark-common.checkEventLog" (dict "eventLog" .Values.global.eventLog "global" .Values.global "confs" (list .Values.global.sparkConf .Values.sparkConf) "from" (list "global.sparkConf" "sparkConf")) -}}
{{- include "spark-common.checkHadoop" (dict "global" .Values.global "confs" (list .Values.global.sparkConf .Values.sparkConf) "from" (list "global.sparkConf" "sparkConf")) -}}
{{- include "spark-common.checkLog" .Values.log -}}
{{- include "spark-common.checkLabels" (dict "labels" .Values.metrics.podMonitor.labels "from" "metrics.podMonitor.labels") -}}
{{- with .Values.metrics -}}
{{- if and (not .enabled) (or .annotations .podMonitor.enabled) -}}
{{- fail (printf "metrics.%s is set but metrics.enabled is false: set it to true" (ternary "annotations" "podMonitor.enabled" .annotations)) -}}
{{- end -}}
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
{{- if or $app.source (hasSuffix ".py" $app.file) -}}
{{- range $from, $conf := dict "sparkConf" .Values.sparkConf "global.sparkConf" .Values.global.sparkConf -}}
{{- if eq (get $conf "spark.api.mode" | toString | lower) "connect" -}}
{{- fail (printf "%s sets spark.api.mode to connect, with which spark-submit leaves out classes that Python needs; use instead: SPARK_API_MODE: connect and MASTER: k8s://https://kubernetes.default.svc in driver.env" $from) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-job.checkSchedule" -}}
{{- $schedule := .Values.schedule -}}
{{- if $schedule.cron -}}
{{- include "spark-job.checkCron" $schedule.cron -}}
{{- if and $schedule.timeZone (not (has $schedule.timeZone (.Files.Lines "files/time-zones.txt"))) -}}
{{- fail (printf "schedule.timeZone is %q, which is not in the list of the world's time zones: write its name, as in Europe/Zurich" $schedule.timeZone) -}}
{{- end -}}
{{- else -}}
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

{{- define "spark-job.checkTemplate" -}}
{{- $spec := dict
  "automountServiceAccountToken" "nothing: submitter and driver have a token and an executor has none"
  "restartPolicy" "nothing: Spark's pods never restart; retries says how often a run is tried again"
  "activeDeadlineSeconds" "deadlineSeconds"
-}}
{{- include "spark-common.checkRoleTemplate" (dict "root" .root "role" .role "spec" $spec "container" (dict "command" "app" "args" "app.args")) -}}
{{- end }}

{{- define "spark-job.checkSubmitter" -}}
{{- $submitter := .Values.submitter -}}
{{- include "spark-common.checkNumbers" (dict "values" $submitter.env "from" "submitter.env:") -}}
{{- $helpers := .Values.global.helpers -}}
{{- $from := empty $submitter.limitCores | ternary "global.helpers.limitCores" "submitter.limitCores" -}}
{{- with $submitter.limitCores | default $helpers.limitCores | include "spark-common.text" -}}
{{- $asked := include "spark-common.text" $submitter.requestCores -}}
{{- if gt (include "spark-common.millicores" $asked | int64) (include "spark-common.millicores" . | int64) -}}
{{- fail (printf "%s is %q, less than submitter.requestCores, %q: raise it, or lower submitter.requestCores" $from . $asked) -}}
{{- end -}}
{{- end -}}
{{- include "spark-common.checkRoleEnv" (dict "names" (keys $submitter.env) "from" "submitter.env" "role" "submitter") -}}
{{- include "spark-common.checkRoleIds" (dict "root" . "role" "submitter") -}}
{{- end }}

{{/* What Kubernetes would refuse with the release half made. */}}
{{- define "spark-job.checkCron" -}}
{{- if hasPrefix "@" . -}}
{{- if not (regexMatch "^@(yearly|annually|monthly|weekly|daily|midnight|hourly|every ([0-9]+[hms])+)$" .) -}}
{{- fail (printf "schedule.cron is %q, which Kubernetes does not know: write @hourly, @daily, @weekly, @monthly, @yearly, @every 1h30m or five fields, as in 0 3 * * 1-5" .) -}}
{{- end -}}
{{- else -}}
{{- $kinds := list
  (dict "name" "minute" "least" 0 "most" 59 "words" list)
  (dict "name" "hour" "least" 0 "most" 23 "words" list)
  (dict "name" "day of the month" "least" 1 "most" 31 "words" list)
  (dict "name" "month" "least" 1 "most" 12 "words" (list "jan" "feb" "mar" "apr" "may" "jun" "jul" "aug" "sep" "oct" "nov" "dec"))
  (dict "name" "day of the week" "least" 0 "most" 6 "words" (list "sun" "mon" "tue" "wed" "thu" "fri" "sat"))
-}}
{{- $fields := regexSplit "[ \\t]+" (trim .) -1 -}}
{{- if ne (len $fields) 5 -}}
{{- fail (printf "schedule.cron is %q, and Kubernetes wants five fields, minute, hour, day of the month, month and day of the week, as in 0 3 * * 1-5: write these, and a time zone in schedule.timeZone" .) -}}
{{- end -}}
{{- range $number, $field := $fields -}}
{{- range $item := splitList "," $field -}}
{{- include "spark-job.checkCronItem" (dict "item" $item "kind" (index $kinds $number) "cron" $) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-job.checkCronItem" -}}
{{- $kind := .kind -}}
{{- $numbers := list -}}
{{- $range := regexReplaceAll "/0*[1-9][0-9]*$" (lower .item) "" -}}
{{- range $end := has $range (list "*" "?") | ternary list (regexSplit "-" $range 2) -}}
{{- range $index, $word := $kind.words -}}
{{- if eq $word $end -}}
{{- $end = add $index $kind.least | toString -}}
{{- end -}}
{{- end -}}
{{- $numbers = append $numbers (regexMatch "^[0-9]{1,4}$" $end | ternary (trimPrefix "0" $end | int) -1) -}}
{{- end -}}
{{- range $numbers -}}
{{- if or (lt . $kind.least) (gt . $kind.most) -}}
{{- fail (printf "schedule.cron is %q, and %q is no %s: write %d to %d, a range such as %d-%d, or *" $.cron $.item $kind.name $kind.least $kind.most $kind.least $kind.most) -}}
{{- end -}}
{{- end -}}
{{- if gt (first $numbers | default 0) (last $numbers | default 0) -}}
{{- fail (printf "schedule.cron is %q, and %q ends before it begins: write it as two, such as 6,0 for Saturday and Sunday" .cron .item) -}}
{{- end -}}
{{- end }}
