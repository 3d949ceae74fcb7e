{{/*
Values of a role, refused in one line that says what to do. Call with a dict: root, role, unless said otherwise.

  spark-common.checkRole          resources, environment, labels
  spark-common.checkRoleLabels    labels by which pods are found; call with a dict: labels, from
  spark-common.checkRoleEnv       variables that a chart or Spark sets; call with a dict: names, from, role, cluster (whether
                                  the driver's pod is Spark's)
  spark-common.checkRoleTemplate  its pod template: what the charts own; besides, spec and container: maps of fields that this
                                  chart owns too, and what to use instead
  spark-common.checkExecutors     their version of Spark, dynamic allocation, rolling, allocator, a driver without any; call with the root
*/}}

{{- define "spark-common.checkRole" -}}
{{- $role := .role -}}
{{- $values := get .root.Values $role -}}
{{- if lt (include "spark-common.mebibytes" $values.memory | int) 512 -}}
{{- fail (printf "%s.memory is %q, and Spark needs 512m at least" $role $values.memory) -}}
{{- end -}}
{{- with $values.limitCores | include "spark-common.text" -}}
{{- $asked := include "spark-common.cores" $values -}}
{{- if gt (include "spark-common.millicores" $asked | int64) (include "spark-common.millicores" . | int64) -}}
{{- fail (printf "%s.limitCores is %q, less than the %q that are asked for: raise it, or set %s.requestCores" $role . $asked $role) -}}
{{- end -}}
{{- end -}}
{{- include "spark-common.checkNumbers" (dict "values" $values.env "from" (printf "%s.env:" $role)) -}}
{{- include "spark-common.checkRoleLabels" (dict "labels" $values.labels "from" (printf "%s.labels" $role)) -}}
{{- include "spark-common.checkRoleEnv" (dict "names" (keys $values.env) "from" (printf "%s.env" $role) "role" $role "cluster" (eq (toString (get $.root.Values "mode")) "cluster")) -}}
{{- end }}

{{/* call with a dict: labels, from */}}
{{- define "spark-common.checkRoleLabels" -}}
{{- range $key := keys (.labels | default dict) | sortAlpha -}}
{{- if or (hasPrefix "spark-" $key) (has $key (list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component")) (regexMatch "^(batch\\.kubernetes\\.io/|kindling\\.local/(isolated|notebook)$|job-name$|controller-uid$)" $key) -}}
{{- fail (printf "%s sets %s, by which Spark, Kubernetes or the chart finds the pod: take another key" $.from $key) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* call with a dict: names, from, role, cluster */}}
{{- define "spark-common.checkRoleEnv" -}}
{{- range $name := .names | sortAlpha -}}
{{- if and (eq $.role "submitter") (has $name (list "SPARK_SUBMIT_OPTS" "SPARK_LAUNCHER_OPTS")) -}}
{{- fail (printf "%s sets %s, which the chart sets itself: use submitter.jvmOptions" $.from $name) -}}
{{- end -}}
{{- if and (eq $name "SPARK_USER") (or (eq $.role "executor") (and $.cluster (eq $.role "driver"))) -}}
{{- fail (printf "%s sets SPARK_USER, which Spark sets to the user of %s; use instead: %s" $.from ($.cluster | ternary "the submitting pod" "the driver") ($.cluster | ternary "submitter.env.SPARK_USER" "driver.env.SPARK_USER")) -}}
{{- end -}}
{{- if and $.cluster (eq $.role "driver") (has $name (list "PYSPARK_PYTHON" "PYSPARK_DRIVER_PYTHON")) -}}
{{- fail (printf "%s sets %s, which Spark sets itself in cluster mode; use instead: %s in sparkConf" $.from $name (eq $name "PYSPARK_PYTHON" | ternary "spark.pyspark.python" "spark.pyspark.driver.python")) -}}
{{- end -}}
{{- if has $name (list "FAIL_FAST" "_SPARK_AUTH_SECRET" "SPARK_JAVA_OPT_KINDLING" "SPARK_DRIVER_BIND_ADDRESS" "SPARK_CONF_DIR" "SPARK_LOCAL_DIRS" "SPARK_APPLICATION_ID" "SPARK_DRIVER_URL" "SPARK_EXECUTOR_CORES" "SPARK_EXECUTOR_ID" "SPARK_EXECUTOR_MEMORY" "SPARK_EXECUTOR_POD_IP" "SPARK_EXECUTOR_POD_NAME" "SPARK_RESOURCE_PROFILE_ID") -}}
{{- fail (printf "%s sets %s, which the chart or Spark sets itself: take another name" $.from $name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkRoleTemplate" -}}
{{- $from := printf "%s.podTemplate" .role -}}
{{- $role := .role -}}
{{- $template := (get .root.Values .role).podTemplate -}}
{{- $image := hasKey (get .root.Values $role) "image" | ternary (printf "%s.image" $role) "image" -}}
{{- $account := eq $role "submitter" | ternary "global.serviceAccounts.submitter" (printf "%s.serviceAccountName" $role) -}}
{{- include "spark-common.checkPodTemplate" (dict
  "template" $template
  "from" $from
  "names" (list $role)
  "spec" (merge (dict
    "serviceAccountName" $account
    "serviceAccount" $account
    "hostname" "nothing: Spark and Kubernetes name hosts after their pods") .spec)
  "container" (merge (dict "image" $image "imagePullPolicy" "image.pullPolicy") .container)) -}}
{{- include "spark-common.checkRoleLabels" (dict "labels" ($template.metadata).labels "from" $from) -}}
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
{{- include "spark-common.checkRoleEnv" (dict "names" $names "from" $from "role" $role "cluster" (eq (toString (get $.root.Values "mode")) "cluster")) -}}
{{- end -}}
{{- include "spark-common.checkRoleIds" (dict "root" .root "role" $role) -}}
{{- end }}

{{- define "spark-common.checkExecutors" -}}
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
{{- $here := dict "root" . "role" "driver" -}}
{{- $there := dict "root" . "role" "executor" -}}
{{- $version := include "spark-common.sparkVersion" $here -}}
{{- $other := include "spark-common.sparkVersion" $there -}}
{{- if and $version $other (ne $version $other) -}}
{{- fail (printf "%s says Spark %s of executors and %s %s of the driver, and these do not understand each other: name images of one version" (include "spark-common.tagOf" $there) $other (include "spark-common.tagOf" $here) $version) -}}
{{- end -}}
{{- if include "spark-common.runsAlone" . -}}
{{- $of := dict "executor.decommission" (ternary "true" "" $executor.decommission) "executor.rolling.interval" $executor.rolling.interval "executor.allocator" (ternary "" $executor.allocator (eq $executor.allocator "direct")) -}}
{{- range $key, $value := $of -}}
{{- if $value -}}
{{- fail (printf "%s is %s and executor.instances is 0, so there is no executor: leave it out, or raise executor.instances" $key $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $from := list "global.sparkConf" "sparkConf" -}}
{{- $conf := eq $from "sparkConf" | ternary $.Values.sparkConf $.Values.global.sparkConf -}}
{{- $master := get $conf "spark.kubernetes.driver.master" | toString -}}
{{- if hasPrefix "local" $master -}}
{{- fail (printf "%s sets spark.kubernetes.driver.master to %s: use instead executor.instances: 0, a driver without executors" $from $master) -}}
{{- end -}}
{{- if and $master (include "spark-common.runsAlone" $) -}}
{{- fail (printf "%s sets spark.kubernetes.driver.master and executor.instances is 0, so the driver asks no API server: leave one of them out" $from) -}}
{{- end -}}
{{- end -}}
{{- if and $executor.rolling.interval (not $executor.decommission) -}}
{{- fail "executor.rolling.interval is set but executor.decommission is false: an executor that is rolled hands its data on first; set it to true" -}}
{{- end -}}
{{- if and (eq $executor.allocator "statefulset") $executor.dynamicAllocation.enabled -}}
{{- fail "executor.allocator is \"statefulset\" and executor.dynamicAllocation.enabled is true: a StatefulSet gives up its newest pod, not the idle one; take one of them" -}}
{{- end -}}
{{- end }}
