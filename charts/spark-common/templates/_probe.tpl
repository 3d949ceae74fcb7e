{{/*
spark-common.answers   a probe, from within: the kubelet has no token, and may not be let in at all. Any answer but an error of the server
                       counts. Call with a dict: port (as spark-common.port knows it), path
*/}}
{{- define "spark-common.answers" -}}
exec:
  command:
    - bash
    - -c
    - |
      exec 3<>/dev/tcp/127.0.0.1/{{ include "spark-common.port" .port }}
      printf 'GET {{ .path }} HTTP/1.0\r\n\r\n' >&3
      read -r -t 8 version status rest <&3
      [[ $version == HTTP/* && $status == [234]* ]]
timeoutSeconds: 10
{{- end }}
