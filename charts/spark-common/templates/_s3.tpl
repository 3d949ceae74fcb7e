{{/*
S3 of a team's data: global.s3. Call with .Values.global unless said otherwise; each gives nothing where there is nothing to say.

  spark-common.s3Conf    Spark configuration, a map
  spark-common.s3Volume  the AWS credentials file as a pod's volume, a list
  spark-common.s3Mount   the same as a mount of a container
  spark-common.s3Env     where AWS's SDKs look for the file, a list
*/}}

{{- define "spark-common.s3Conf" -}}
{{- with .s3.endpoint }}
spark.hadoop.fs.s3a.endpoint: {{ quote . }}
{{- end }}
{{- with .s3.region }}
spark.hadoop.fs.s3a.endpoint.region: {{ quote . }}
{{- end }}
{{- if .s3.pathStyle }}
spark.hadoop.fs.s3a.path.style.access: true
{{- end }}
{{- if .s3.secret.name }}
# Its name in SDK 1, that of Spark 3.5; newer Hadoop takes it for that in SDK 2.
spark.hadoop.fs.s3a.aws.credentials.provider: com.amazonaws.auth.profile.ProfileCredentialsProvider
{{- end }}
{{- end }}

{{- define "spark-common.s3Volume" -}}
{{- if .s3.secret.name }}
- name: s3
  secret:
    secretName: {{ .s3.secret.name | quote }}
    # 0440: the pod's fsGroup reads it.
    defaultMode: 288
    items:
      - { key: {{ .s3.secret.key | quote }}, path: credentials }
{{- end }}
{{- end }}

{{- define "spark-common.s3Mount" -}}
{{- if .s3.secret.name }}
- name: s3
  mountPath: /etc/spark-s3
  readOnly: true
{{- end }}
{{- end }}

{{- define "spark-common.s3Env" -}}
{{- if .s3.secret.name }}
- name: AWS_SHARED_CREDENTIALS_FILE
  value: /etc/spark-s3/credentials
{{- end }}
{{- end }}
