{{/*
What the ConfigMaps hold: folders of Spark's configuration. Call with the root.

  spark-standalone.clusterFiles  that of master and workers, a map
  spark-standalone.clientFiles   that of drivers
*/}}

{{- define "spark-standalone.clusterFiles" -}}
{{- $conf := include "spark-common.properties" (list .Values.sparkConf (include "spark-standalone.clusterConf" . | fromYaml)) -}}
{{- dict
  "spark-defaults.conf" ($conf | trim | printf "%s\n")
  "spark-env.sh" (.Files.Get "files/spark-env.sh")
  "decommission.sh" (.Files.Get "files/decommission.sh") | toYaml -}}
{{- end }}

{{- define "spark-standalone.clientFiles" -}}
{{- $conf := include "spark-common.properties" (list .Values.global.sparkConf .Values.client.sparkConf (include "spark-standalone.clientConf" . | fromYaml)) -}}
{{- dict
  "spark-defaults.conf" ($conf | trim | printf "%s\n")
  "spark-env.sh" (.Files.Get "files/spark-env.sh")
  "check.py" (.Files.Get "files/check.py")
  "job.yaml" (include "spark-standalone.clientJob" .) | toYaml -}}
{{- end }}
