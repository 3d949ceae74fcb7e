{{/*
What a container of Spark needs to reach what is outside of its namespace: CAs, the HTTP proxy, S3, options of Java. Call with a
dict: global, opensS3 (true of who has S3's credentials) and, of who opens the store of the event logs, eventLog (global.eventLog).

  spark-common.outsideVolumes, spark-common.outsideMounts, spark-common.outsideEnv
                        of a pod and its container; the pod has spark-common.trustInit besides
  spark-common.jvmEnv   JDK_JAVA_OPTIONS, which every JVM takes, in a list, or nothing; in spark-common.outsideEnv, too
*/}}

{{- define "spark-common.outsideVolumes" -}}
{{- include "spark-common.trustVolumes" . }}
{{- if .opensS3 }}
{{- include "spark-common.s3Volume" .global }}
{{- end }}
{{- end }}

{{- define "spark-common.outsideMounts" -}}
{{- include "spark-common.trustMount" . }}
{{- if .opensS3 }}
{{- include "spark-common.s3Mount" .global }}
{{- end }}
{{- end }}

{{- define "spark-common.outsideEnv" -}}
{{- include "spark-common.trustEnv" . }}
{{- include "spark-common.proxyEnv" .global.proxy }}
{{- if .opensS3 }}
{{- include "spark-common.s3Env" .global }}
{{- end }}
{{- include "spark-common.jvmEnv" . }}
{{- end }}

{{- define "spark-common.jvmEnv" -}}
{{- $options := list -}}
{{- if include "spark-common.authorities" . -}}
{{- $options = append $options "-Djavax.net.ssl.trustStore=/etc/spark-trust/cacerts" -}}
{{- end -}}
{{- if include "spark-common.krb5ConfigMap" .global -}}
{{- $options = append $options "-Djava.security.krb5.conf=/etc/krb5/krb5.conf" -}}
{{- end -}}
{{- with include "spark-common.proxyOptions" .global.proxy -}}
{{- $options = append $options . -}}
{{- end -}}
{{- with $options }}
- name: JDK_JAVA_OPTIONS
  value: {{ join " " . | quote }}
{{- end }}
{{- end }}
