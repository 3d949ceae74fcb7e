{{/*
spark-job.checkConf: refuses configuration that the chart sets itself, or that would have no effect; call with a dict:
conf, from (its name in values).
*/}}
{{- define "spark-job.checkConf" -}}
{{- $owned := dict
  "spark.master" "nothing: the cluster of the release"
  "spark.submit.deployMode" "mode"
  "spark.app.id" "nothing: it follows from the pod"
  "spark.app.name" "app.name"
  "spark.submit.pyFiles" "app.pyFiles"
  "spark.jars" "app.jars"
  "spark.files" "app.files"
  "spark.archives" "app.archives"
  "spark.jars.packages" "app.packages"
  "spark.jars.repositories" "app.repositories"
  "spark.driver.host" "nothing: the pod's address"
  "spark.driver.bindAddress" "nothing: the pod's address"
  "spark.driver.port" "nothing: 7078"
  "spark.driver.blockManager.port" "nothing: 7079"
  "spark.blockManager.port" "nothing: 7079"
  "spark.ui.port" "nothing: 4040"
  "spark.driver.memory" "driver.memory"
  "spark.driver.memoryOverhead" "driver.memoryOverhead"
  "spark.driver.cores" "driver.cores"
  "spark.executor.instances" "executor.instances"
  "spark.executor.memory" "executor.memory"
  "spark.executor.memoryOverhead" "executor.memoryOverhead"
  "spark.executor.cores" "executor.cores"
  "spark.dynamicAllocation.enabled" "executor.dynamicAllocation.enabled"
  "spark.dynamicAllocation.initialExecutors" "executor.instances"
  "spark.dynamicAllocation.minExecutors" "executor.dynamicAllocation.min"
  "spark.dynamicAllocation.maxExecutors" "executor.dynamicAllocation.max"
  "spark.dynamicAllocation.executorIdleTimeout" "executor.dynamicAllocation.idleTimeout"
  "spark.decommission.enabled" "executor.decommission"
  "spark.kubernetes.executor.rollInterval" "executor.rolling.interval"
  "spark.kubernetes.executor.rollPolicy" "executor.rolling.policy"
  "spark.kubernetes.allocation.pods.allocator" "executor.allocator"
  "spark.kubernetes.local.dirs.tmpfs" "localDirs.memory"
  "spark.kubernetes.driver.pod.name" "nothing: the pod's name"
  "spark.kubernetes.namespace" "helm's --namespace"
  "spark.kubernetes.container.image" "image"
  "spark.kubernetes.driver.container.image" "image"
  "spark.kubernetes.executor.container.image" "image"
  "spark.kubernetes.container.image.pullPolicy" "image.pullPolicy"
  "spark.kubernetes.container.image.pullSecrets" "image.pullSecrets"
  "spark.kubernetes.driver.request.cores" "driver.requestCores"
  "spark.kubernetes.driver.limit.cores" "driver.limitCores"
  "spark.kubernetes.executor.request.cores" "executor.requestCores"
  "spark.kubernetes.executor.limit.cores" "executor.limitCores"
  "spark.kubernetes.executor.podNamePrefix" "nothing: the driver pod's name"
  "spark.kubernetes.driver.podTemplateFile" "driver.podTemplate"
  "spark.kubernetes.driver.podTemplateContainerName" "nothing: driver"
  "spark.kubernetes.executor.podTemplateFile" "executor.podTemplate"
  "spark.kubernetes.executor.podTemplateContainerName" "nothing: executor"
  "spark.kubernetes.submission.waitAppCompletion" "nothing: the Job's pod follows the driver"
  "spark.kubernetes.authenticate.serviceAccountName" "driver.serviceAccountName"
  "spark.kubernetes.authenticate.driver.serviceAccountName" "driver.serviceAccountName"
  "spark.kubernetes.authenticate.executor.serviceAccountName" "executor.serviceAccountName"
  "spark.kubernetes.authenticate.oauthToken" "nothing: the pod's own token, renewed as it expires"
  "spark.kubernetes.authenticate.oauthTokenFile" "nothing: the pod's own token, renewed as it expires"
  "spark.kubernetes.authenticate.driver.oauthToken" "nothing: the pod's own token, renewed as it expires"
  "spark.kubernetes.authenticate.driver.oauthTokenFile" "nothing: the pod's own token, renewed as it expires"
  "spark.kubernetes.scheduler.name" "driver.schedulerName and executor.schedulerName"
  "spark.kubernetes.driver.scheduler.name" "driver.schedulerName"
  "spark.kubernetes.executor.scheduler.name" "executor.schedulerName"
  "spark.kubernetes.executor.terminationGracePeriodSeconds" "executor.terminationGracePeriodSeconds"
-}}
{{- /* Whole families, which reach the pods that Spark makes only: in client mode that is not the driver's. */ -}}
{{- $families := list
  (list "spark.kubernetes.driverEnv." "driver.env")
  (list "spark.executorEnv." "executor.env")
  (list "spark.kubernetes.driver.label." "driver.labels")
  (list "spark.kubernetes.executor.label." "executor.labels")
  (list "spark.kubernetes.driver.annotation." "driver.annotations")
  (list "spark.kubernetes.executor.annotation." "executor.annotations")
  (list "spark.kubernetes.driver.volumes." "volumes")
  (list "spark.kubernetes.executor.volumes." "volumes")
  (list "spark.kubernetes.driver.secrets." "volumes")
  (list "spark.kubernetes.executor.secrets." "volumes")
  (list "spark.kubernetes.driver.secretKeyRef." "driver.env")
  (list "spark.kubernetes.executor.secretKeyRef." "executor.env")
  (list "spark.kubernetes.node.selector." "driver.nodeSelector and executor.nodeSelector")
  (list "spark.kubernetes.driver.node.selector." "driver.nodeSelector")
  (list "spark.kubernetes.executor.node.selector." "executor.nodeSelector")
-}}
{{- range $key := keys .conf | sortAlpha -}}
{{- if regexMatch "[\\s:=]" $key -}}
{{- fail (printf "%s has the key %q, and a key of Spark's configuration has no space, colon or equals sign: write each key whole, as in \"spark.sql.shuffle.partitions: 8\"" $.from $key) -}}
{{- end -}}
{{- if hasKey $owned $key -}}
{{- fail (printf "%s sets %s, which the chart sets itself; use instead: %s" $.from $key (get $owned $key)) -}}
{{- end -}}
{{- range $family := $families -}}
{{- if hasPrefix (first $family) $key -}}
{{- fail (printf "%s sets %s, which the chart sets itself; use instead: %s" $.from $key (last $family)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
