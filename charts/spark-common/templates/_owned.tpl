{{/*
spark-common.checkConf: refuses configuration that the chart or Spark sets itself, or that would have no effect; call with a dict:
conf, from (its name in values), own (a map: what the chart at hand owns besides, and what to use instead).
docs/reference/spark-properties.md is made of what it says.
spark-common.instead: what to do instead of what is refused; call with the values to use, or "nothing: " and why there are none.
*/}}
{{- define "spark-common.instead" -}}
{{- if hasPrefix "nothing: " . -}}
leave it out: {{ trimPrefix "nothing: " . }}
{{- else -}}
use instead: {{ . }}
{{- end -}}
{{- end }}

{{- define "spark-common.checkConf" -}}
{{- $owned := merge (dict
  "spark.master" "nothing: drivers ask the cluster that they run in"
  "spark.app.id" "nothing: it follows from the pod, so that each run has its own"
  "spark.driver.host" "nothing: it is the address of the driver's pod"
  "spark.driver.bindAddress" "nothing: it is the address of the driver's pod"
  "spark.driver.port" (include "spark-common.port" "driver" | printf "nothing: it is %s, which NetworkPolicies and spark-ui-proxy rely on")
  "spark.driver.blockManager.port" (include "spark-common.port" "blockManager" | printf "nothing: it is %s, which NetworkPolicies and spark-ui-proxy rely on")
  "spark.blockManager.port" (include "spark-common.port" "blockManager" | printf "nothing: it is %s, which NetworkPolicies and spark-ui-proxy rely on")
  "spark.ui.port" (include "spark-common.port" "ui" | printf "nothing: it is %s, which NetworkPolicies and spark-ui-proxy rely on")
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
  "spark.kubernetes.driver.pod.name" "nothing: it is the name that Kubernetes gives the pod"
  "spark.kubernetes.namespace" "helm's --namespace"
  "spark.kubernetes.container.image" "image"
  "spark.kubernetes.executor.container.image" "executor.image"
  "spark.kubernetes.container.image.pullPolicy" "image.pullPolicy"
  "spark.kubernetes.container.image.pullSecrets" "image.pullSecrets"
  "spark.kubernetes.driver.request.cores" "driver.requestCores"
  "spark.kubernetes.driver.limit.cores" "driver.limitCores"
  "spark.kubernetes.executor.request.cores" "executor.requestCores"
  "spark.kubernetes.executor.limit.cores" "executor.limitCores"
  "spark.kubernetes.executor.podNamePrefix" "nothing: executors are named after their driver's pod"
  "spark.kubernetes.driver.podTemplateFile" "driver.podTemplate"
  "spark.kubernetes.driver.podTemplateContainerName" "nothing: the container of Spark is named driver"
  "spark.kubernetes.executor.podTemplateFile" "executor.podTemplate"
  "spark.kubernetes.executor.podTemplateContainerName" "nothing: the container of Spark is named executor"
  "spark.kubernetes.submission.waitAppCompletion" "nothing: the Job's pod follows the driver to its end"
  "spark.kubernetes.authenticate.serviceAccountName" "driver.serviceAccountName"
  "spark.kubernetes.authenticate.driver.serviceAccountName" "driver.serviceAccountName"
  "spark.kubernetes.authenticate.executor.serviceAccountName" "executor.serviceAccountName"
  "spark.kubernetes.scheduler.name" "driver.schedulerName and executor.schedulerName"
  "spark.kubernetes.driver.scheduler.name" "driver.schedulerName"
  "spark.kubernetes.executor.scheduler.name" "executor.schedulerName"
  "spark.kubernetes.executor.terminationGracePeriodSeconds" "executor.terminationGracePeriodSeconds"
  "spark.dynamicAllocation.shuffleTracking.enabled" "nothing: executor.dynamicAllocation.enabled sets it too"
  "spark.storage.decommission.enabled" "executor.decommission"
  "spark.storage.decommission.rddBlocks.enabled" "executor.decommission"
  "spark.storage.decommission.shuffleBlocks.enabled" "executor.decommission"
  "spark.kubernetes.report.interval" "nothing: the Job's pod follows the driver to its end"
  "spark.kubernetes.context" "nothing: drivers ask the cluster that they run in, and have no kubeconfig"
  "spark.kubernetes.appKillPodDeletionGracePeriod" "driver.terminationGracePeriodSeconds"
  "spark.kubernetes.memoryOverheadFactor" "spark.driver.memoryOverheadFactor and spark.executor.memoryOverheadFactor"
  "spark.kubernetes.driver.resourceNamePrefix" "nothing: Spark sets it itself as it submits"
  "spark.kubernetes.resource.type" "nothing: Spark sets it itself as it submits"
  "spark.kubernetes.setSubmitTimeInDriver" "nothing: Spark sets it itself as it submits"
  "spark.kubernetes.submitInDriver" "nothing: Spark sets it itself as it submits"
) .own -}}
{{- /* Whole families: most reach only the pods that Spark makes, and in client mode that is not the driver's. */ -}}
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
  (list "spark.kubernetes.authenticate." "nothing: each pod has the token of its service account, renewed as it expires")
  (list "spark.kubernetes.node.selector." "driver.nodeSelector and executor.nodeSelector")
  (list "spark.kubernetes.driver.node.selector." "driver.nodeSelector")
  (list "spark.kubernetes.executor.node.selector." "executor.nodeSelector")
  (list "spark.kubernetes.kerberos.dt-secret-" "nothing: Spark sets it itself as it submits")
-}}
{{- include "spark-common.checkKeys" . -}}
{{- include "spark-common.checkGone" . -}}
{{- range $key := keys .conf | sortAlpha -}}
{{- if hasKey $owned $key -}}
{{- fail (printf "%s sets %s, which the chart sets itself; %s" $.from $key (get $owned $key | include "spark-common.instead")) -}}
{{- end -}}
{{- range $family := $families -}}
{{- if hasPrefix (first $family) $key -}}
{{- fail (printf "%s sets %s, which the chart sets itself; %s" $.from $key (last $family | include "spark-common.instead")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
spark-common.checkGone: refuses configuration that no Spark of the supported lines heeds; call with a dict: conf, from, perhaps
own (as of spark-common.checkConf).
spark-common.checkBackend: refuses configuration of Spark's Kubernetes backend, for what runs without it; call with a dict: conf, from,
what (what runs).
*/}}
{{- define "spark-common.checkGone" -}}
{{- /* Of older Sparks and of the fork that Spark on Kubernetes came from. */ -}}
{{- $gone := list
  (list "spark.kubernetes.initContainer." "nothing: Spark fetches app.jars and app.files without an init container")
  (list "spark.kubernetes.mountDependencies.jarsDownloadDir" "nothing: Spark makes a folder for app.jars")
  (list "spark.kubernetes.mountDependencies.filesDownloadDir" "nothing: Spark makes a folder for app.files")
  (list "spark.kubernetes.mountDependencies.timeout" "spark.files.fetchTimeout")
  (list "spark.kubernetes.mountDependencies.maxSimultaneousDownloads" "nothing: Spark fetches one file after the other")
  (list "spark.kubernetes.executor.lostCheck.maxAttempts" "spark.kubernetes.executor.missingPodDetectDelta")
  (list "spark.kubernetes.pyspark.pythonVersion" "spark.pyspark.python")
  (list "spark.kubernetes.driver.docker.image" (get (.own | default dict) "spark.kubernetes.driver.container.image" | default "image"))
  (list "spark.kubernetes.executor.docker.image" "executor.image")
  (list "spark.kubernetes.initcontainer." "nothing: Spark fetches app.jars and app.files without an init container")
  (list "spark.kubernetes.resourceStagingServer." "app.source, or app.file and app.jars with a place that Spark can fetch from")
  (list "spark.kubernetes.shuffle." "executor.dynamicAllocation and executor.decommission")
-}}
{{- range $key := keys .conf | sortAlpha -}}
{{- range $property := $gone -}}
{{- if hasPrefix (first $property) $key -}}
{{- fail (printf "%s sets %s, which Spark no longer has; %s" $.from $key (last $property | include "spark-common.instead")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkBackend" -}}
{{- range $key := keys .conf | sortAlpha -}}
{{- if hasPrefix "spark.kubernetes." $key -}}
{{- fail (printf "%s sets %s, and %s heeds no spark.kubernetes property: leave it out" $.from $key $.what) -}}
{{- end -}}
{{- end -}}
{{- end }}
